import type { Rejected } from '../../core/source.ts';
import { type Member, ShapeReader } from '../../lib/json-shape.ts';
import { countOf, type Fields } from './fields.ts';
import { type AuditRecord, type Place, SHAPE } from './record.ts';
import { readRecord, takes } from './records.ts';
import { readCall } from './request.ts';

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
  ['requestHeader', 'Content-Length'],
  ['responseHeader', 'Content-Length'],
] as const;
/** What varies from record to record. */
export const MAPS = ['requestHeader', 'responseHeader', 'requestQuery', 'requestClaims', 'tags'];

/**
 * Reads lines for metrics alone: of S3 audit records of Lyve Cloud and MinIO, `raw` then holds no more than these need. All
 * else is as `readRecord` has it.
 */
export class PartialReader {
  readonly #lyve = readerOf(['auditEntry'], [['serviceAccountName']]);
  readonly #minio = readerOf([], []);

  read(line: string, place: Place): AuditRecord | Rejected | null {
    const isLyve = line.startsWith(LYVE_BEGIN);
    const reader = isLyve ? this.#lyve : this.#minio;
    const members = reader.read(line);
    if (members) return readShaped(members, isLyve ? 'lyve' : 'minio', { line, place });
    const found = readRecord(line, place);
    if (found && 'form' in found && found.form === (isLyve ? 'lyve' : 'minio')) reader.learn(line);
    return found;
  }
}

/** What is likely to be the operation: what a record holds depends on it. */
function nameIn(line: string): string {
  const at = line.indexOf(NAME);
  if (at < 0) return '';
  const begin = at + NAME.length;
  const end = line.indexOf('"', begin);
  return end - begin > LONGEST_NAME ? '' : line.slice(begin, end);
}

const NAME = '"name":"';
const LONGEST_NAME = 64;
/** As Lyve Cloud writes it: its members are in the order of their names. */
const LYVE_BEGIN = '{"auditEntry":';

function readerOf(path: readonly string[], more: readonly (readonly string[])[]): ShapeReader {
  return new ShapeReader({
    wanted: [...WANTED.map((inner) => [...path, ...inner]), ...more],
    maps: MAPS.map((name) => [...path, name]),
    kindOf: nameIn,
  });
}

function readShaped(
  members: readonly Member[],
  form: 'lyve' | 'minio',
  { line, place }: { readonly line: string; readonly place: Place },
): AuditRecord | Rejected {
  if (!takes(place.format, form)) return SHAPE;
  // By the places of WANTED.
  const call = {
    name: members[0],
    bucket: members[1],
    statusCode: members[2],
    rx: members[3],
    tx: members[4],
    timeToFirstByte: members[5],
    timeToFirstByteInNS: members[6],
    timeToResponse: members[7],
    timeToResponseInNS: members[8],
    time: members[9],
    trigger: members[10],
    requestLength: countOf(members[13]),
    responseLength: countOf(members[14]),
  };
  return readCall(call, { form, raw: rawOf(members, form), text: line, place });
}

/** The record as it would have been parsed, in so far as exclusions ask for it. */
function rawOf(members: readonly Member[], form: 'lyve' | 'minio'): Fields {
  const entry = { accessKey: members[11], parentUser: members[12] };
  const raw = form === 'lyve' ? { auditEntry: entry, serviceAccountName: members[15] } : entry;
  // What is absent is undefined here: that is what asking for it would give.
  return raw as unknown as Fields;
}
