import { parseRfc3339 } from '../../lib/time.ts';

/** Where a trail puts its files of one account and region. */
export interface TrailFolder {
  /** What stands before `AWSLogs/`: empty, or ends with a slash. */
  readonly prefix: string;
  /** The `o-…` folder of an organization's trail, or null. */
  readonly organization: string | null;
  readonly account: string;
  readonly region: string;
  readonly kind: 'log' | 'digest';
}

/** What the key of a file tells. */
export interface TrailKey extends TrailFolder {
  /** Of delivery, `YYYY-MM-DD`: events may be of any earlier time. */
  readonly day: string;
  /** In milliseconds since 1970, as the file's name has it; null if that is no time. */
  readonly time: number | null;
}

/**
 * Reads the key of a log file or a digest file (AWS, "Finding your CloudTrail log files"):
 * `[prefix/]AWSLogs/[o-…/]<account>/CloudTrail/<region>/YYYY/MM/DD/<account>_CloudTrail_<region>_<time>Z_<16>.json.gz`.
 * Null for any other key. Files that somebody unpacked (`.json`) are taken too.
 */
export function parseTrailKey(key: string): TrailKey | null {
  // From the right, as the prefix may look like anything, `AWSLogs` too.
  const parts = key.split('/');
  const [account = '', folder = '', region = '', year, month, day, file = ''] = parts.slice(-7);
  const kind = KINDS.get(folder);
  const date = `${year}-${month}-${day}`;
  if (kind === undefined || !isAccount(account) || !isRegion(region)) return null;
  if (parseRfc3339(`${date}T00:00:00Z`) === null) return null;
  const stamp = (kind === 'log' ? LOG_FILE : DIGEST_FILE).exec(file);
  const place = placeOf(parts.slice(0, -7));
  return stamp && place && { ...place, account, region, kind, day: date, time: stampTime(stamp) };
}

/** The folder of all days, with a slash at its end. */
export function trailFolder({ prefix, organization, account, region, kind }: TrailFolder): string {
  const root = `${prefix}AWSLogs/${organization === null ? '' : `${organization}/`}`;
  return `${root}${account}/${kind === 'log' ? 'CloudTrail' : 'CloudTrail-Digest'}/${region}/`;
}

/** Whether the name of a folder is that of an organization. */
export function isOrganization(name: string): boolean {
  return /^o-[a-z0-9]{1,64}$/.test(name);
}

/** Whether the name of a folder is that of an account. */
export function isAccount(name: string): boolean {
  return /^[0-9]{12}$/.test(name);
}

/** Whether the name of a folder may be that of a region. */
export function isRegion(name: string): boolean {
  return /^[a-z0-9-]{1,64}$/.test(name);
}

/** Other folders are those of insights and of other services. */
const KINDS: ReadonlyMap<string, TrailFolder['kind']> = new Map([
  ['CloudTrail', 'log'],
  ['CloudTrail-Digest', 'digest'],
]);

const LOG_FILE =
  /^[0-9]{12}_CloudTrail_[a-z0-9-]{1,64}_([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})Z_[A-Za-z0-9]{1,64}\.json(?:\.gz)?$/;
/** Between the region and the time may be the name and the region of the trail. */
const DIGEST_FILE =
  /^[0-9]{12}_CloudTrail-Digest_[A-Za-z0-9._-]{1,512}_([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})?Z\.json(?:\.gz)?$/;

function stampTime([, year, month, day, hour, minute, second = '00']: RegExpExecArray): number | null {
  return parseRfc3339(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function placeOf(parts: readonly string[]): { prefix: string; organization: string | null } | null {
  const last = parts.at(-1) ?? '';
  const organization = isOrganization(last) ? last : null;
  const above = organization === null ? parts : parts.slice(0, -1);
  if (above.at(-1) !== 'AWSLogs') return null;
  return {
    prefix: above
      .slice(0, -1)
      .map((part) => `${part}/`)
      .join(''),
    organization,
  };
}
