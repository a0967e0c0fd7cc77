import { lineContent } from '../../core/objects/line-content.ts';
import type { ObjectContent, ObjectFormat } from '../../core/objects/reader.ts';
import { isWithin, type Rejected, type SourceContext } from '../../core/source.ts';
import { usableTime } from '../../lib/delivery.ts';
import { type LogEntry, parseEntry } from './entry.ts';

/** A line of a file, and what it says. */
export interface EntryItem {
  readonly found: LogEntry | Rejected;
  readonly text: string;
  /** When the file was last modified, in milliseconds since 1970. */
  readonly arrival: number;
}

/** A line that has more than 1 MiB. */
export const TOO_LONG: Rejected = { rejected: 'too_long' };

type Range = SourceContext<Record<string, never>>['range'];

/** Files of a sink as lines, each an entry. */
export function entryFormat(range: Range): ObjectFormat<EntryItem> {
  return { grows: false, open: ({ modified }) => contentOf(modified, range) };
}

/** The lines of a piece of input, as of a file that was last modified at a time. */
export function* splitInput(input: Buffer, arrival: number): Generator<EntryItem> {
  const content = contentOf(arrival, { since: null, until: null });
  yield* content.items(input);
  yield* content.end();
}

/** The time of an entry, if it can be used. */
export function timeOf({ found, arrival }: EntryItem): number | null {
  return 'rejected' in found ? null : usableTime(found.time, arrival);
}

function contentOf(arrival: number, range: Range): ObjectContent<EntryItem> {
  const isLimited = range.since !== null || range.until !== null;
  return lineContent((line) => {
    const item: EntryItem =
      typeof line === 'string'
        ? { found: parseEntry(line), text: line, arrival }
        : { found: TOO_LONG, text: '', arrival };
    return !isLimited || isWanted(item, range) ? item : null;
  });
}

/** An entry without a usable time is as old as its file. */
function isWanted(item: EntryItem, range: Range): boolean {
  return 'rejected' in item.found || isWithin(timeOf(item) ?? item.arrival, range);
}
