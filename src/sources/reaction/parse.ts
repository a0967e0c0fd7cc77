import type { Rejected } from '../../core/source.ts';
import { detached, LONG_TEXT, type QuotedList, readQuotedList } from './list.ts';

/** What happened to a stream, as the label `type` shows it. */
export const STREAM_EVENTS = ['start', 'exit', 'exec', 'read', 'timeout'] as const;
export type StreamEvent = (typeof STREAM_EVENTS)[number];

/**
 * What stood in brackets: `values` of a quoted list (reaction 2), or `raw` text of an unquoted one (reaction 1);
 * neither where a plugin runs with arguments that are not told.
 */
export interface Arguments {
  readonly values: readonly string[] | null;
  readonly raw: string | null;
}

/** `STREAM.FILTER: match LIST`. */
export interface MatchLine extends Arguments {
  readonly kind: 'match';
  readonly stream: string;
  readonly filter: string;
}

/** `STREAM.FILTER.ACTION: run LIST`; `code` is that of a failed run. */
export interface ActionLine extends Arguments {
  readonly kind: 'action';
  readonly stream: string;
  readonly filter: string;
  readonly action: string;
  readonly failed: boolean;
  readonly code: string;
}

/** `start command: run LIST` and `stop command: run LIST`; `command` is the first argument as written. */
export interface CommandLine extends Arguments {
  readonly kind: 'command';
  readonly state: 'start' | 'stop';
  readonly command: string;
  readonly failed: boolean;
  readonly code: string;
}

/** Something about a stream itself. */
export interface StreamLine {
  readonly kind: 'stream';
  readonly stream: string;
  readonly type: StreamEvent;
}

export type ReactionLine = MatchLine | ActionLine | CommandLine | StreamLine;

export const NO_LEVEL: Rejected = { rejected: 'no_level' };
export const UNKNOWN_LINE: Rejected = { rejected: 'unknown_line' };
export const MALFORMED_LIST: Rejected = { rejected: 'malformed_list' };

/**
 * Reads a line of reaction's log that was cleaned up and has lost its time (see `clean.ts`). Null for a line that tells
 * nothing. `v1` is true for lines of reaction 1, whose values are never quoted.
 */
export function parseLine(text: string, v1: boolean): ReactionLine | Rejected | null {
  if (text === '') return null;
  const level = levelOf(text);
  if (level === null) return NO_LEVEL;
  if (level === 'TRACE' || level === 'DEBUG') return null;
  const said = text.slice(level.length).trimStart();
  if (isSilent(said, v1)) return null;
  const failed = level === 'ERROR';
  const event = failed ? streamTrouble(said, v1) : null;
  if (event) return event;
  if (!failed && level !== 'INFO') return UNKNOWN_LINE;
  const colon = said.indexOf(': ');
  if (colon < 0) return UNKNOWN_LINE;
  return parseHeaded(said.slice(0, colon), said.slice(colon + 2), failed, v1);
}

/** The number in what follows a failed run: `exit code: 1` → `1`, `signal: 9` → `137`, none → `none`. */
export function exitCode(tail: string): string {
  const code = /(?:exit code|exit status|code)(?:: | )(?:Some\()?(-?[0-9]{1,10})(?![0-9])/.exec(tail);
  if (code?.[1]) return code[1];
  const signal = /signal: ([0-9]{1,3})(?![0-9])/.exec(tail);
  return signal ? String(128 + Number(signal[1])) : 'none';
}

const LEVELS = ['INFO', 'ERROR', 'WARN', 'DEBUG', 'TRACE', 'FATAL'] as const;

const V1_SILENT = [
  'Received SIGINT/SIGTERM, exiting',
  'Waiting for Streams to finish...',
  'Waiting for Actions to finish...',
  'Rotating database...',
  'Rotated database',
  'No DB found at ',
  'info discarded ',
];

function levelOf(text: string): (typeof LEVELS)[number] | null {
  for (const level of LEVELS) {
    if (!text.startsWith(level)) continue;
    return text.length === level.length || text.charCodeAt(level.length) === 0x20 ? level : null;
  }
  return null;
}

function isSilent(said: string, v1: boolean): boolean {
  if (v1) return V1_SILENT.some((start) => said.startsWith(start));
  return said.startsWith('received SIG') && /^received SIG[A-Z0-9]{1,16}, closing streams\.\.\.$/.test(said);
}

function streamTrouble(said: string, v1: boolean): StreamLine | null {
  return (
    between(said, 'could not execute stream ', ' cmd: ', 'exec') ??
    between(said, 'stream ', ' exited: ', 'exit') ??
    between(said, 'impossible to read output from stream ', ': ', 'read') ??
    between(said, 'child process of stream ', ' did not terminate', 'timeout') ??
    (v1 && said.endsWith(' stream finished') ? streamLine(said.slice(0, -' stream finished'.length), 'exit') : null)
  );
}

function between(said: string, before: string, after: string, type: StreamEvent): StreamLine | null {
  if (!said.startsWith(before)) return null;
  const end = said.indexOf(after, before.length);
  return end < 0 ? null : streamLine(said.slice(before.length, end), type);
}

function streamLine(stream: string, type: StreamEvent): StreamLine | null {
  return stream === '' || stream.includes('.') ? null : { kind: 'stream', stream, type };
}

function parseHeaded(head: string, said: string, failed: boolean, v1: boolean): ReactionLine | Rejected {
  const first = head.indexOf('.');
  if (first < 0) return parseDotless(head, said, failed, v1);
  const second = head.indexOf('.', first + 1);
  const stream = head.slice(0, first);
  if (second < 0) {
    const filter = head.slice(first + 1);
    if (stream === '' || filter === '' || !isWord(said, 'match')) return UNKNOWN_LINE;
    const list = readList(said, 'match '.length, false, v1);
    return list ? { kind: 'match', stream, filter, values: list.values, raw: list.raw } : MALFORMED_LIST;
  }
  const filter = head.slice(first + 1, second);
  const action = head.slice(second + 1);
  if (stream === '' || filter === '' || action === '' || action.includes('.') || !isWord(said, 'run'))
    return UNKNOWN_LINE;
  const list = said.charAt('run '.length) === '[' ? readList(said, 'run '.length, failed, v1) : untold(said);
  if (!list) return MALFORMED_LIST;
  const code = failed ? exitCode(list.tail) : '0';
  return { kind: 'action', stream, filter, action, failed, code, values: list.values, raw: list.raw };
}

function parseDotless(head: string, said: string, failed: boolean, v1: boolean): ReactionLine | Rejected {
  if ((head === 'start command' || head === 'stop command') && isWord(said, 'run')) {
    const list = readList(said, 'run '.length, failed, v1);
    if (!list) return MALFORMED_LIST;
    const command = list.values ? (list.values[0] ?? '') : (list.raw ?? '').split(' ', 1).join('');
    const state = head === 'start command' ? 'start' : 'stop';
    const code = failed ? exitCode(list.tail) : '0';
    return { kind: 'command', state, command, failed, code, values: list.values, raw: list.raw };
  }
  if (!failed && head !== '' && isWord(said, 'start')) return { kind: 'stream', stream: head, type: 'start' };
  return UNKNOWN_LINE;
}

/** Whether a text is this word, or begins with it and a space. */
function isWord(said: string, word: string): boolean {
  return said.startsWith(word) && (said.length === word.length || said.charCodeAt(word.length) === 0x20);
}

interface List extends Arguments {
  /** What follows the closing bracket. */
  readonly tail: string;
}

function readList(said: string, at: number, failed: boolean, v1: boolean): List | null {
  if (said.charCodeAt(at) !== 0x5b) return null;
  const next = said.charAt(at + 1);
  if (!v1 && (next === '"' || next === ']')) {
    const quoted: QuotedList | null = readQuotedList(said, at);
    return quoted && { values: quoted.values, raw: null, tail: said.slice(quoted.end) };
  }
  const end = unquotedEnd(said, failed);
  if (end <= at) return null;
  const raw = said.slice(at + 1, end);
  return { values: null, raw: said.length > LONG_TEXT ? detached(raw) : raw, tail: said.slice(end + 1) };
}

/** Values of reaction 1 are not escaped: the list goes to the last bracket that can be its end. */
function unquotedEnd(said: string, failed: boolean): number {
  const told = failed ? Math.max(said.lastIndexOf('], code '), said.lastIndexOf(']: ')) : -1;
  return told >= 0 ? told : said.lastIndexOf(']');
}

/** A plugin's run: that it ran is told, how is not. */
function untold(said: string): List {
  return { values: null, raw: null, tail: said.slice(said.lastIndexOf(']') + 1) };
}
