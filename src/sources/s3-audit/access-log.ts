import { parseGoDuration } from './durations.ts';
import { countOf, type Fields } from './fields.ts';

/**
 * The first 15 fields of an S3 server access log line, verbatim: `-` is absent. The time is without its brackets, the
 * URI without its quotes. Ceph writes the same columns.
 */
export interface AccessLine extends Fields {
  readonly owner: string;
  readonly bucket: string;
  readonly time: string;
  readonly remote_ip: string;
  readonly requester: string;
  readonly request_id: string;
  readonly operation: string;
  readonly key: string;
  readonly request_uri: string;
  readonly http_status: string;
  readonly error_code: string;
  readonly bytes_sent: string;
  readonly object_size: string;
  readonly total_time: string;
  readonly turn_around_time: string;
}

/**
 * Splits an access log line; null if it is none. Quotes are not escaped in these lines: the URI ends at the first quote
 * and blank behind which a status and five more fields stand. What comes behind them (referrer, agent …) is not looked
 * at, so that no quote in there can do harm. No character is looked at more than a few times.
 */
export function readAccessLine(line: string): AccessLine | null {
  const names = wordsAt(line, 0, 2);
  if (names === null || line[names.end] !== '[') return null;
  const close = line.indexOf('] ', names.end);
  if (close < 0 || close - names.end > LONGEST_TIME) return null;
  const middle = wordsAt(line, close + 2, 5);
  const rest = middle && restAt(line, middle.end);
  if (!middle || !rest) return null;
  const [owner = '', bucket = ''] = names.words;
  const [remote_ip = '', requester = '', request_id = '', operation = '', key = ''] = middle.words;
  const { uri: request_uri, words } = rest;
  const [http_status = '', error_code = '', bytes_sent = '', object_size = '', total_time = '', turn_around_time = ''] =
    words;
  return {
    owner,
    bucket,
    time: line.slice(names.end + 1, close),
    remote_ip,
    requester,
    request_id,
    operation,
    key,
    request_uri,
    http_status,
    error_code,
    bytes_sent,
    object_size,
    total_time,
    turn_around_time,
  };
}

/** Whether Ceph wrote a line: it alone puts a unit behind the turn-around time. */
export function hasUnit(line: AccessLine): boolean {
  return line.turn_around_time !== '-' && countOf(line.turn_around_time) === null;
}

const LONGEST_TIME = 64;

interface Words {
  readonly words: readonly string[];
  /** Behind the blank after the last one. */
  readonly end: number;
}

/** So many words, each with a blank behind it. */
function wordsAt(line: string, from: number, count: number): Words | null {
  const words: string[] = [];
  let at = from;
  while (words.length < count) {
    const blank = line.indexOf(' ', at);
    if (blank <= at) return null;
    words.push(line.slice(at, blank));
    at = blank + 1;
  }
  return { words, end: at };
}

/** The URI and the six fields behind it. */
function restAt(line: string, from: number): { readonly uri: string; readonly words: readonly string[] } | null {
  if (line.startsWith('- ', from)) {
    const words = countsAt(line, from + 2);
    return words && { uri: '-', words };
  }
  if (line[from] !== '"') return null;
  for (let quote = line.indexOf('" ', from + 1); quote >= 0; quote = line.indexOf('" ', quote + 1)) {
    const words = countsAt(line, quote + 2);
    if (words) return { uri: line.slice(from + 1, quote), words };
  }
  return null;
}

/** Status, error code, bytes sent, object size, total time, turn-around time; null if one of them cannot be that. */
function countsAt(line: string, from: number): readonly string[] | null {
  const words: string[] = [];
  let at = from;
  for (const isFit of FIT) {
    const blank = line.indexOf(' ', at);
    const end = blank < 0 ? line.length : blank;
    const word = line.slice(at, end);
    if (!isFit(word)) return null;
    words.push(word);
    at = end + 1;
  }
  return words;
}

const FIT: readonly ((word: string) => boolean)[] = [
  (word) => word === '-' || (word.length === 3 && countOf(word) !== null),
  (word) => word !== '',
  isCount,
  isCount,
  isCount,
  (word) => isCount(word) || parseGoDuration(word) !== null,
];

function isCount(word: string): boolean {
  return word === '-' || countOf(word) !== null;
}
