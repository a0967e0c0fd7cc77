import type { HttpAnswer } from '../../lib/http.ts';
import { isObject, parseJson } from '../../lib/json-value.ts';
import { postponed } from '../../lib/retry.ts';

/** What is looked at of an answer. */
export type WriteAnswer = Pick<HttpAnswer, 'status' | 'text' | 'truncated' | 'retryAfterMs'>;

/** A line that the server will never take; `index` is its place in the request. */
export interface RefusedLine {
  readonly index: number;
  readonly text: string;
}

/**
 * What to do after a write:
 * - `done`: all is stored.
 * - `partial`: all is stored but the `dead` lines, and `dropped` more that the server does not name.
 * - `split`: nothing is stored, or it cannot be told what; send the halves, each by itself.
 * - `dead`: the request's only line will never be taken.
 * - `again`: send the same once more, after at least `waitMs`.
 * - `hold`: keep everything and read the secret again; somebody has to put it right.
 */
export type WriteVerdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'partial'; readonly dead: readonly RefusedLine[]; readonly dropped: number; readonly text: string }
  | { readonly kind: 'split'; readonly text: string }
  | { readonly kind: 'dead'; readonly reason: 'rejected' | 'too_large'; readonly text: string }
  | { readonly kind: 'again'; readonly waitMs: number; readonly text: string }
  | { readonly kind: 'hold'; readonly text: string };

/**
 * Judges the answer of any of the write end points (InfluxDB 1 to 3, VictoriaMetrics) to these lines. The servers differ
 * in what a refusal means: a 400 of version 1 and 3 may be partial, one of version 2 never is, a 422 may be.
 */
export function judgeWrite(
  { status, text, truncated, retryAfterMs }: WriteAnswer,
  lines: readonly string[],
): WriteVerdict {
  if (status >= 200 && status < 300) return { kind: 'done' };
  const answer = readAnswer(text);
  const told = `HTTP ${status}${answer.message && ': '}${shortened(answer.message)}`;
  const later = postponed(status);
  if (later === 'again') return { kind: 'again', waitMs: retryAfterMs ?? 0, text: told };
  if (later === 'hold') return { kind: 'hold', text: told };
  const alone = lines.length <= 1;
  if (status === 413) return alone ? { kind: 'dead', reason: 'too_large', text: told } : { kind: 'split', text: told };
  if (alone) return { kind: 'dead', reason: 'rejected', text: told };
  // A list of bad lines that is cut names too few. What was stored is only replaced by itself.
  if (truncated) return { kind: 'split', text: told };
  return partial(answer, lines, told) ?? { kind: 'split', text: told };
}

interface Answer {
  readonly message: string;
  /** What version 3 tells of single lines. */
  readonly data: readonly unknown[];
}

/** The error is `error` in versions 1 and 3, `message` in version 2; something in between may answer in plain text. */
function readAnswer(text: string): Answer {
  const body = parseJson(text);
  if (!isObject(body)) return { message: text, data: [] };
  const message = [body.message, body.error].find((said) => typeof said === 'string') ?? '';
  return { message: String(message), data: Array.isArray(body.data) ? body.data : [] };
}

function partial({ message, data }: Answer, lines: readonly string[], text: string): WriteVerdict | null {
  const counted = droppedCount(message);
  if (!message.includes('partial write') && counted === null) return null;
  const named = data.length > 0 ? namedLines(data, lines) : quotedLines(message, lines);
  const dead = [...named].sort(([a], [b]) => a - b).map(([index, why]) => ({ index, text: shortened(why) }));
  // A partial write lost something even where it says that nothing was dropped.
  const lost = Math.min(Math.max(counted ?? 0, 1), lines.length);
  return { kind: 'partial', dead, dropped: Math.max(0, lost - dead.length), text };
}

/** N of `… dropped=N`. */
function droppedCount(message: string): number | null {
  const found = /dropped=([0-9]{1,9})\s*$/.exec(message.slice(-40));
  return found ? Number(found[1]) : null;
}

/** Version 3 tells number (from 1) and text of each bad line; the text wins, as lines may be counted otherwise. */
function namedLines(data: readonly unknown[], lines: readonly string[]): ReadonlyMap<number, string> {
  const places = new Map(lines.map((line, index) => [line, index]));
  const found = new Map<number, string>();
  for (const entry of data) {
    if (!isObject(entry)) continue;
    const { line_number, original_line, error_message } = entry;
    const numbered = typeof line_number === 'number' ? line_number - 1 : -1;
    const index = lines[numbered] === original_line ? numbered : (places.get(String(original_line)) ?? numbered);
    if (lines[index] !== undefined) found.set(index, typeof error_message === 'string' ? error_message : 'refused');
  }
  return found;
}

const UNPARSED = "unable to parse '";

/** Version 1 quotes each line that it could not parse. */
function quotedLines(message: string, lines: readonly string[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  let from = message.indexOf(UNPARSED);
  while (from >= 0 && found.size < lines.length) {
    const begin = from + UNPARSED.length;
    const index = lines.findIndex((line) => message.startsWith(line, begin) && message[begin + line.length] === "'");
    const next = message.indexOf(UNPARSED, begin);
    if (index >= 0) found.set(index, message.slice(from, next < 0 ? undefined : next));
    from = next;
  }
  return found;
}

/** One line for the log and the dead letters. */
function shortened(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300).toWellFormed();
}
