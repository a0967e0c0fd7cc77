import { parseRfc3339 } from '../../lib/time.ts';

/** What the key of a file tells that a sink of Cloud Logging wrote into a bucket. */
export interface LogKey {
  /** The LOG_ID, decoded; it may hold slashes. */
  readonly log: string;
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  /** The beginning of its hour, in milliseconds since 1970. */
  readonly time: number;
  /** Entries that came in their own hour (`hourly`), or later ones (`late`). Both have to be read. */
  readonly kind: 'hourly' | 'late';
  /** When late entries were delivered, in milliseconds since 1970. */
  readonly delivered: number | null;
}

/**
 * Reads the key of a file, without the prefix of the sink (Google Cloud, "View logs routed to Cloud Storage"):
 * `<LOG_ID>/YYYY/MM/DD/HH:00:00_HH:59:59_S<n>.json` or `…_A<n>:<unix seconds>.json`. Null for any other key.
 * Files that somebody packed (`.json.gz`) are taken too.
 */
export function parseLogKey(key: string): LogKey | null {
  const parts = key.split('/');
  const log = parts.slice(0, -4).join('/');
  const [year, month, date, file = ''] = parts.slice(-4);
  const found = FILE.exec(file);
  const day = `${year}-${month}-${date}`;
  const time = found && parseRfc3339(`${day}T${found[1]}:00:00Z`);
  if (log === '' || !found || time === null || found[1] !== found[2]) return null;
  const delivered = found[4] === undefined ? null : Number(found[4]) * 1000;
  if ((found[3] === 'A') !== (delivered !== null)) return null;
  return { log, day, time, kind: delivered === null ? 'hourly' : 'late', delivered };
}

const FILE = /^([0-9]{2}):00:00_([0-9]{2}):59:59_([SA])[0-9]{1,9}(?::([0-9]{1,11}))?\.json(?:\.gz)?$/;
