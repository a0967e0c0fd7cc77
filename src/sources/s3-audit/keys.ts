/** How the keys of a log bucket are built. */
export const LAYOUTS = ['lyve', 'dated', 'flat'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What the key of a log tells. */
export interface LogKey {
  readonly kind: 'log';
  /** The word before the first dash, in lower case: `s3`, `iam`, `console` …; empty but with the layout `lyve`. */
  readonly type: string;
  /** Empty where the key names none. Only a hint: the record decides. */
  readonly bucket: string;
  /** Milliseconds since 1970, taken as UTC; null if there is none that can be. Only a hint: Ceph writes local time. */
  readonly time: number | null;
  /** The month or day folder, up to its slash and behind the prefix; empty for a key that lies in none. */
  readonly folder: string;
}

/**
 * What a key is: a log; `ignored`, a thing that lies among logs and is none; `nothing`, the marker of a folder; or
 * `elsewhere`, in a folder that is not listed at all.
 */
export type KeyReading = LogKey | { readonly kind: 'ignored' | 'nothing' | 'elsewhere' };

/**
 * Reads a key, without the configured prefix. Lyve Cloud documents `<Month>-<yyyy>/<type>-<bucket>-<time>.gz`, and was
 * seen to write the time without bucket, with day and month swapped. AWS, Ceph and shippers of MinIO's audit log write
 * `…/YYYY/MM/DD/…` (`dated`); AWS and Ceph also `YYYY-MM-DD-HH-MM-SS-<unique>` (`flat`).
 */
export function readKey(layout: Layout, key: string, size: number): KeyReading {
  if (key.endsWith('/') || key === '') return size === 0 ? NOTHING : IGNORED;
  if (layout === 'lyve') return readLyveKey(key);
  return layout === 'dated' ? readDatedKey(key) : readFlatKey(key);
}

/** Whether a key says that its object is an IAM log. */
export function isIamKey(reading: LogKey): boolean {
  return reading.type === 'iam';
}

/** First day of the month of a folder such as `January-2024`, in milliseconds since 1970; null if it is none. */
export function monthOf(folder: string): number | null {
  const found = MONTH_FOLDER.exec(folder);
  const month = MONTHS.indexOf(found?.[1]?.toLowerCase() ?? '');
  return month < 0 ? null : Date.UTC(Number(found?.[2]), month);
}

/** The folder of the month in which a moment falls, in UTC, as Lyve Cloud names it. */
export function monthFolder(time: number): string {
  const date = new Date(time);
  const name = MONTHS[date.getUTCMonth()] ?? '';
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}-${String(date.getUTCFullYear()).padStart(4, '0')}`;
}

const NOTHING: KeyReading = { kind: 'nothing' };
const IGNORED: KeyReading = { kind: 'ignored' };
const ELSEWHERE: KeyReading = { kind: 'elsewhere' };

const MONTHS: readonly string[] = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];
const MONTH_FOLDER = /^([A-Za-z]{3,9})-([0-9]{4})$/;
const ENDING = '.gz';
const TIME_LENGTH = 'yyyy-MM-dd-HH-mm-ss'.length;
const TIME = /^([0-9]{4})-([0-9]{2})-([0-9]{2})-([0-9]{2})-([0-9]{2})-([0-9]{2})$/;
const HEAD = /^([A-Za-z]\w*)-/;

function readLyveKey(key: string): KeyReading {
  const slash = key.indexOf('/');
  const month = slash < 0 ? null : monthOf(key.slice(0, slash));
  if (slash >= 0 && month === null) return ELSEWHERE;
  const name = key.slice(slash + 1);
  if (name.includes('/') || !name.endsWith(ENDING)) return IGNORED;
  // From the right, as the names of buckets may look like times.
  const stem = name.slice(0, -ENDING.length);
  const head = stem.slice(0, -TIME_LENGTH);
  const type = HEAD.exec(head)?.[1];
  const numbers = TIME.exec(stem.slice(-TIME_LENGTH))?.slice(1).map(Number);
  if (type === undefined || numbers === undefined || !head.endsWith('-')) return IGNORED;
  return {
    kind: 'log',
    type: type.toLowerCase(),
    bucket: head.slice(type.length + 1, -1),
    time: fittingTime(numbers, month),
    folder: key.slice(0, slash + 1),
  };
}

/** Year, month and day; or year, day and month, where only that is a date and fits the month of the folder. */
function fittingTime(numbers: readonly number[], month: number | null): number | null {
  const [year = 0, first = 0, second = 0, ...clock] = numbers;
  const fits = [timeOf(year, first, second, clock), timeOf(year, second, first, clock)].filter(
    (time) => time !== null && (month === null || sameMonth(time, month)),
  );
  return fits[0] ?? null;
}

function sameMonth(time: number, month: number): boolean {
  return monthFolder(time) === monthFolder(month);
}

function timeOf(year: number, month: number, day: number, clock: readonly number[]): number | null {
  const [hour = 0, minute = 0, second = 0] = clock;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return date.getUTCFullYear() === year && date.getUTCDate() === day ? date.getTime() : null;
}

function readDatedKey(key: string): KeyReading {
  const parts = key.split('/');
  // The last date of the path: a prefix, or the name of a bucket, may look like one as well.
  for (let at = parts.length - 4; at >= 0; at--) {
    const [year = '', month = '', day = ''] = parts.slice(at, at + 3);
    if (!YEAR.test(year) || !TWO_DIGITS.test(month) || !TWO_DIGITS.test(day)) continue;
    if (timeOf(Number(year), Number(month), Number(day), []) === null) continue;
    const folder = `${parts.slice(0, at + 3).join('/')}/`;
    return { kind: 'log', type: '', bucket: '', time: leadingTime(parts.at(-1) ?? ''), folder };
  }
  return ELSEWHERE;
}

const YEAR = /^[0-9]{4}$/;
const TWO_DIGITS = /^[0-9]{2}$/;

function readFlatKey(key: string): KeyReading {
  const isLog = TIME.test(key.slice(0, TIME_LENGTH)) && /^-[^/]+$/.test(key.slice(TIME_LENGTH));
  return isLog ? { kind: 'log', type: '', bucket: '', time: leadingTime(key), folder: '' } : IGNORED;
}

function leadingTime(name: string): number | null {
  const [year = 0, month = 0, day = 0, ...clock] = TIME.exec(name.slice(0, TIME_LENGTH))?.slice(1).map(Number) ?? [];
  return timeOf(year, month, day, clock);
}
