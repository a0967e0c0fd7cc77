import type { Data } from '../../core/event.ts';
import type { Rejected } from '../../core/source.ts';
import { type AccessLine, readAccessLine } from './access-log.ts';
import { readAccountApi, readConsole, readIam } from './account.ts';
import { type Fields, isFields } from './fields.ts';
import { lineForm, readLine } from './line.ts';
import { type AuditRecord, type Form, type Format, MALFORMED, type Place, SHAPE } from './record.ts';
import { readOpsLog, readS3Audit } from './request.ts';

/**
 * Reads a line of an audit object, without its end: a JSON object by its shape, whatever is no JSON as an access-log
 * line. Null is no item: a blank line, or brackets that Ceph puts around a stream. Longer lines than 1 MiB are for the
 * caller to refuse.
 */
export function readRecord(text: string, place: Place): AuditRecord | Rejected | null {
  const line = isTidy(text) ? text : text.trim();
  if (line === '') return null;
  const json = mayDress(place.format) ? undressed(line) : line;
  if (json === '') return null;
  const value = jsonOf(json);
  if (value !== undefined) return isFields(value) ? readObject(value, text, place) : SHAPE;
  const access = readAccessLine(line);
  return access === null ? MALFORMED : readAccess(access, text, place);
}

/** Reads a parsed record; `text` is what it was parsed from. The first form that fits is it. */
export function readObject(raw: Fields, text: string, place: Place): AuditRecord | Rejected {
  const form = formOf(raw, place.iam);
  if (form === null || !takes(place.format, form)) return SHAPE;
  switch (form) {
    case 'console':
      return readConsole(raw, text, place);
    case 'account':
      return readAccountApi(raw, text, place);
    case 'ceph-ops':
      return readOpsLog(raw, text, place);
    case 'iam':
      return readIam(raw, text, place);
    default:
      return readS3Audit(raw, text, place);
  }
}

type ObjectForm = Exclude<Form, 'aws-line' | 'ceph-line'>;

const FORMS: Readonly<Record<Exclude<Format, 'auto'>, readonly Form[]>> = {
  lyve: ['lyve', 'console', 'account', 'iam'],
  minio: ['minio'],
  'aws-access-log': ['aws-line'],
  ceph: ['ceph-line', 'ceph-ops'],
};

const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;

/** Whether records of a form are wanted where a format is configured. */
export function takes(format: Format, form: Form): boolean {
  return format === 'auto' || FORMS[format].includes(form);
}

function formOf(raw: Fields, iam: boolean): ObjectForm | null {
  if (isFields(raw.auditEntry)) return 'lyve';
  if (isFields(raw.ConsoleEvent)) return 'console';
  if (isFields(raw.ApiEvent)) return 'account';
  if (isFields(raw.api)) return 'minio';
  if (typeof raw.operation === 'string' && typeof raw.http_status === 'string') return 'ceph-ops';
  if (iam || (isFields(raw.content) && (raw.organization !== undefined || raw.created_date !== undefined)))
    return 'iam';
  return null;
}

function readAccess(line: AccessLine, text: string, place: Place): AuditRecord | Rejected {
  return takes(place.format, lineForm(line, place.format)) ? readLine(line, text, place) : SHAPE;
}

/** Whether there is nothing to trim. */
function isTidy(text: string): boolean {
  const first = text.charCodeAt(0);
  return first > 0x20 && first < 0x80 && text.charCodeAt(text.length - 1) > 0x20;
}

function mayDress(format: Format): boolean {
  return format === 'auto' || format === 'ceph';
}

/** Ceph's socket sends `[` first, and a comma behind each record. JSON of one line has neither. */
function undressed(line: string): string {
  const first = line[0];
  if (first !== '[' && first !== '{') return line;
  const end = line.charCodeAt(line.length - 1) === COMMA ? line.length - 1 : line.length;
  const start = first === '[' && (end < 2 || line.charCodeAt(end - 1) !== CLOSE_BRACKET) ? 1 : 0;
  return start === 0 && end === line.length ? line : line.slice(start, end).trim();
}

/** Undefined for what is no JSON. An error costs more than a record: none is risked on what must be another thing. */
function jsonOf(line: string): Data | undefined {
  const first = line[0];
  if (first !== '{' && first !== '[' && first !== '"' && line.includes(' ')) return undefined;
  try {
    return JSON.parse(line) as Data;
  } catch {
    return undefined;
  }
}
