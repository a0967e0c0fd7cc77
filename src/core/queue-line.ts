import type { Event } from './event.ts';

/** An event as a line of a block in the queue; null if it cannot be one: nested too deep, or too long for a text. */
export function eventLine(event: Event): string | null {
  try {
    return `${JSON.stringify(event)}\n`;
  } catch {
    // RangeError: what was read without recursion may be too deep for what is written with it.
    return null;
  }
}

/** The lines of a block. */
export function blockLines(content: Buffer): readonly string[] {
  return content.toString('utf8').split('\n').slice(0, -1);
}

/** The event of a line. */
export function lineEvent(line: string): Event {
  // Written by `eventLine`.
  return JSON.parse(line) as Event;
}
