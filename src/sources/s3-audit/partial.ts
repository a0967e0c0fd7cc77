import type { Rejected } from '../../core/source.ts';
import { type Member, type ShapedLine, ShapeReader } from '../../lib/json-shape.ts';
import type { Fields } from './fields.ts';
import type { AuditRecord, Place } from './record.ts';
import { readObject, readRecord } from './records.ts';

/** Members of an S3 audit record that metrics and exclusions ask for; of Lyve Cloud's, all but the last in `auditEntry`. */
const WANTED = [
  ['api', 'name'],
  ['api', 'bucket'],
  ['api', 'statusCode'],
  ['api', 'rx'],
  ['api', 'tx'],
  ['api', 'timeToFirstByte'],
  ['api', 'timeToFirstByteInNS'],
  ['api', 'timeToResponse'],
  ['api', 'timeToResponseInNS'],
  ['time'],
  ['trigger'],
  ['accessKey'],
  ['parentUser'],
  ['requestHeader'],
  ['responseHeader'],
] as const;
/** What varies from record to record. */
const MAPS = ['requestHeader', 'responseHeader', 'requestQuery', 'requestClaims', 'tags'];

/**
 * Reads lines for metrics alone: of S3 audit records of Lyve Cloud and MinIO, `raw` then holds no more than these need.
 * All else is as `readRecord` has it.
 */
export class PartialReader {
  readonly #lyve = readerOf(['auditEntry'], [['serviceAccountName']]);
  readonly #minio = readerOf([], []);

  read(line: string, place: Place): AuditRecord | Rejected | null {
    const isLyve = line.startsWith(LYVE_BEGIN);
    const reader = isLyve ? this.#lyve : this.#minio;
    const shaped = reader.read(line);
    const raw = shaped && rawOf(shaped, isLyve);
    if (raw) return readObject(raw, line, place);
    const found = readRecord(line, place);
    if (found && 'form' in found && found.form === (isLyve ? 'lyve' : 'minio')) reader.learn(line);
    return found;
  }
}

/** As Lyve Cloud writes it: its members are in the order of their names. */
const LYVE_BEGIN = '{"auditEntry":';

function readerOf(path: readonly string[], more: readonly (readonly string[])[]): ShapeReader {
  return new ShapeReader({
    wanted: [...WANTED.map((inner) => [...path, ...inner]), ...more],
    maps: MAPS.map((name) => [...path, name]),
  });
}

/** The record as it would have been parsed, in so far as it is wanted; null if that needs more care. */
function rawOf(shaped: ShapedLine, isLyve: boolean): Fields | null {
  // By the places of WANTED.
  const requestHeader = headersOf(shaped.member(13));
  const responseHeader = headersOf(shaped.member(14));
  if (requestHeader === null || responseHeader === null) return null;
  const api = {
    name: shaped.member(0),
    bucket: shaped.member(1),
    statusCode: shaped.member(2),
    rx: shaped.member(3),
    tx: shaped.member(4),
    timeToFirstByte: shaped.member(5),
    timeToFirstByteInNS: shaped.member(6),
    timeToResponse: shaped.member(7),
    timeToResponseInNS: shaped.member(8),
  };
  const entry = {
    api,
    time: shaped.member(9),
    trigger: shaped.member(10),
    accessKey: shaped.member(11),
    parentUser: shaped.member(12),
    requestHeader,
    responseHeader,
  };
  const raw = isLyve ? { auditEntry: entry, serviceAccountName: shaped.member(15) } : entry;
  // What is absent is undefined here: that is what asking for it would give.
  return raw as unknown as Fields;
}

/** Of headers, the one that is asked for; undefined if there are none, null if they have to be parsed. */
function headersOf(text: Member | undefined): Fields | Member | undefined {
  if (typeof text !== 'string' || !text.startsWith('{')) return text;
  // A name may be written with escapes.
  if (text.includes('\\u')) return null;
  const at = lengthAt(text, 0);
  if (at < 0) return ANY_LENGTH.test(text) ? null : NONE;
  // Of a name that is there twice the last one counts.
  if (lengthAt(text, at) >= 0) return null;
  const value = text.slice(at, text.indexOf('"', at));
  return value.includes('\\') ? null : { 'Content-Length': value };
}

/** Where the value of the next `Content-Length` begins; -1 if there is none. It is found by a few letters that are rare. */
function lengthAt(text: string, from: number): number {
  for (let at = text.indexOf('Leng', from); at >= 0; at = text.indexOf('Leng', at + 1)) {
    // A quote before the name that is escaped belongs to a value, in which no colon could follow the one behind it.
    const begin = at - LENGTH.indexOf('Leng');
    if (text.startsWith(LENGTH, begin)) return begin + LENGTH.length;
  }
  return -1;
}

const LENGTH = '"Content-Length":"';
const ANY_LENGTH = /"content-length":/i;
const NONE: Fields = {};
