import type { Event, Party } from '../../core/event.ts';
import { timeText } from '../time-text.ts';

/** How an event is shown. */
export type LineFormat = 'json' | 'text';

/** Longest part of a line for people, in UTF-16 units. */
const PART_LIMIT = 200;

/** An event as a line with its newline; null if it cannot be written as JSON: nested too deep, or too long for a text. */
export function eventLine(event: Event, format: LineFormat): string | null {
  if (format === 'text') return `${textLine(event)}\n`;
  try {
    return `${escaped(JSON.stringify(event))}\n`;
  } catch {
    // RangeError: stack or length of a text.
    return null;
  }
}

/** `TIME SOURCE ACTION OUTCOME ACTOR TARGET`; `-` for what is not known, quotes around what holds a space. */
function textLine({ time, source, action, outcome, actor, target }: Event): string {
  const parts = [source, action, outcome, partyText(actor), partyText(target)];
  return [timeText(time), ...parts.map(shown)].join(' ');
}

function partyText(party: Party | undefined): string {
  return party?.name || party?.id || party?.address || '';
}

/** What moves the cursor, colours, rings, or turns the direction of writing: nothing that an event may do to a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;

function shown(part: string): string {
  const plain = part.toWellFormed().replace(CONTROLS, ' ').trim();
  const text = plain.length > PART_LIMIT ? `${plain.slice(0, PART_LIMIT).toWellFormed()}…` : plain;
  if (text === '') return '-';
  return /[ "]/.test(text) || text === '-' ? JSON.stringify(text) : text;
}

/** JSON escapes the first 32 characters; those that are left can only stand within its strings. */
function escaped(json: string): string {
  return json.replace(/[\x7f-\x9f\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
