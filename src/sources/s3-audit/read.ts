import { lineContent } from '../../core/objects/line-content.ts';
import type { ObjectContent, ObjectFormat } from '../../core/objects/reader.ts';
import { isWithin, type Rejected, type SourceContext } from '../../core/source.ts';
import type { LongLine } from '../../lib/objects/split-lines.ts';
import type { StoredObject } from '../../lib/objects/store.ts';
import type { S3AuditConfig } from './config.ts';
import { isIamKey, readKey } from './keys.ts';
import { PartialReader } from './partial.ts';
import type { AuditRecord, Place } from './record.ts';
import { readRecord } from './records.ts';

/** A line of an object, and what it says; the line may be empty where nobody will ask for it. */
export interface AuditItem {
  readonly found: AuditRecord | Rejected;
  readonly line: string;
  /** When the object was last modified, or the record was pushed; milliseconds since 1970. */
  readonly arrival: number;
}

/** A line that has more than 1 MiB. */
export const TOO_LONG: Rejected = { rejected: 'too_long' };

type Read = (line: string, place: Place) => AuditRecord | Rejected | null;

export interface FormatOptions extends Pick<S3AuditConfig, 'layout' | 'prefix' | 'format'> {
  readonly range: SourceContext<Record<string, never>>['range'];
  /** Whether records are needed as writers take them. */
  readonly whole: boolean;
}

/** Objects as lines, each a record. An object that is put there again with more lines is read on. */
export function auditFormat({ range, whole, ...config }: FormatOptions): ObjectFormat<AuditItem> {
  const partial = whole ? null : new PartialReader();
  const read: Read = partial ? (line, place) => partial.read(line, place) : readRecord;
  return { grows: true, open: (object) => contentOf(placeOf(object, config), { range, read }) };
}

/** The lines of a piece of input, as of an object that was last modified at a time. */
export function* splitInput(input: Buffer, place: Place): Generator<AuditItem> {
  const content = contentOf(place, { range: { since: null, until: null }, read: readRecord });
  yield* content.items(input);
  yield* content.end();
}

function placeOf(
  { key, size, modified }: StoredObject,
  config: Pick<FormatOptions, 'layout' | 'prefix' | 'format'>,
): Place {
  const reading = readKey(config.layout, key.slice(config.prefix.length), size);
  return { format: config.format, iam: reading.kind === 'log' && isIamKey(reading), arrival: modified };
}

interface Reading extends Pick<FormatOptions, 'range'> {
  readonly read: Read;
}

function contentOf(place: Place, { range, read }: Reading): ObjectContent<AuditItem> {
  const isLimited = range.since !== null || range.until !== null;
  return lineContent((line) => {
    const item = itemOf(line, place, read);
    return item && (!isLimited || isWithin(timeOf(item), range)) ? item : null;
  });
}

function itemOf(line: string | LongLine, place: Place, read: Read): AuditItem | null {
  const { arrival } = place;
  if (typeof line !== 'string') return { found: TOO_LONG, line: '', arrival };
  const found = read(line, place);
  if (found === null) return null;
  return { found, line: 'rejected' in found ? line : found.text, arrival };
}

/** A record without a usable time is as old as its object. */
function timeOf({ found, arrival }: AuditItem): number | null {
  return 'rejected' in found ? null : (found.timeMs ?? arrival);
}
