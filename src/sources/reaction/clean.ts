import { parseRfc3339 } from '../../lib/time.ts';

/** A line without its decoration. */
export interface CleanLine {
  /** From the level on; empty for a blank line. */
  readonly text: string;
  /** Milliseconds since 1970 of the time before the level, or null. */
  readonly time: number | null;
  /** Whether reaction 1 wrote it: it alone puts `2024/05/03 10:00:00` in front. */
  readonly v1: boolean;
}

/**
 * Takes off what stands around a line: a carriage return, NUL bytes of a truncated file, colours, blanks, and a time in
 * front (of reaction 1, RFC 3339, or of syslog with its host and tag). `now` guesses the year that syslog does not tell.
 */
export function cleanLine(line: string, now: number): CleanLine {
  const first = line.charCodeAt(0);
  const second = line.charCodeAt(1);
  // By far most lines begin with a level, and have nothing around them.
  if (isUpper(first) && isUpper(second) && line.charCodeAt(line.length - 1) > 0x20 && !line.includes('\x1b')) {
    return { text: line, time: null, v1: false };
  }
  return takePrefix(undecorated(line), now);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
const ANSI = /\x1b\[[0-?]*[ -/]*[@-~]/g;
const V1_TIME = /^([0-9]{4})\/([0-9]{2})\/([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) /;
const RFC3339_TIME = /^([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.,]{8,18}(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})) /;
const SYSLOG_TIME =
  /^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) /;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TAG = /^(?:[^ ]{1,255} )?[^ ]{1,255}: +(?=(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)(?: |$))/;
const DAY_MS = 86_400_000;

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

function undecorated(line: string): string {
  let start = 0;
  while (line.charCodeAt(start) === 0) start++;
  const text = start > 0 ? line.slice(start) : line;
  return (text.includes('\x1b') ? text.replace(ANSI, '') : text).trim();
}

function takePrefix(text: string, now: number): CleanLine {
  const v1 = V1_TIME.exec(text);
  if (v1) {
    const [year, month, day, hour, minute, second] = v1.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const time = new Date(year, month - 1, day, hour, minute, second).getTime();
    return { text: text.slice(v1[0].length).trimStart(), time, v1: true };
  }
  const rfc3339 = RFC3339_TIME.exec(text);
  const time = rfc3339?.[1] ? parseRfc3339(rfc3339[1]) : null;
  if (rfc3339 && time !== null) return { text: withoutTag(text.slice(rfc3339[0].length)), time, v1: false };
  const syslog = SYSLOG_TIME.exec(text);
  if (syslog) return { text: withoutTag(text.slice(syslog[0].length)), time: syslogTime(syslog, now), v1: false };
  return { text, time: null, v1: false };
}

function withoutTag(text: string): string {
  const rest = text.trimStart();
  const tag = TAG.exec(rest);
  return tag ? rest.slice(tag[0].length) : rest;
}

/** Of this year, or of the last if that would be more than a day ahead. */
function syslogTime(found: RegExpExecArray, now: number): number {
  const [day, hour, minute, second] = found.slice(2).map(Number) as [number, number, number, number];
  const month = MONTHS.indexOf(found[1] ?? '');
  const year = new Date(now).getFullYear();
  const time = new Date(year, month, day, hour, minute, second).getTime();
  return time > now + DAY_MS ? new Date(year - 1, month, day, hour, minute, second).getTime() : time;
}
