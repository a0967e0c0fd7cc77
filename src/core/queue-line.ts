import type { Event } from './event.ts';

/** An event as a line of a block in the queue; `JSON.parse` gives it back. */
export function eventLine(event: Event): string {
  return `${JSON.stringify(event)}\n`;
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
