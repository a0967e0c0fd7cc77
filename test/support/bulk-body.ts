import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** A document and what is to be done with it. */
export interface BulkAction {
  readonly index: string;
  readonly id: string;
  readonly document: Readonly<Record<string, unknown>>;
  /** The document as it was written. */
  readonly json: string;
}

/** The body of a request. */
export interface BulkBody {
  /** Unpacked. */
  readonly text: string;
  /** Of the text. */
  readonly bytes: number;
  /** What a bulk request of this body holds, and what is wrong with it. */
  check(request: IncomingMessage): { readonly actions: readonly BulkAction[]; readonly problems: readonly string[] };
}

/** Waits for the whole body; throws if it does not come. */
export async function readBulk(request: IncomingMessage): Promise<BulkBody> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const sent = Buffer.concat(chunks);
  const isPacked = request.headers['content-encoding'] === 'gzip';
  const unpacked = isPacked ? gunzipSync(sent) : sent;
  const text = unpacked.toString('utf8');
  return {
    text,
    bytes: unpacked.length,
    check: (asked) => {
      const problems = headerProblems(asked, sent.length, { isPacked, bytes: unpacked.length });
      if (!Buffer.from(text).equals(unpacked)) problems.push('found bytes that are no UTF-8');
      return { actions: actionsOf(text, problems), problems };
    },
  };
}

function headerProblems(
  { method, headers }: IncomingMessage,
  length: number,
  { isPacked, bytes }: { readonly isPacked: boolean; readonly bytes: number },
): string[] {
  const problems: string[] = [];
  if (method !== 'POST') problems.push(`found ${method}, wanted POST`);
  const type = headers['content-type'];
  if (type !== 'application/x-ndjson') problems.push(`found content type ${type}, wanted application/x-ndjson`);
  if (headers['content-length'] !== String(length)) {
    problems.push(`found content length ${headers['content-length']}, wanted ${length}`);
  }
  if (headers['transfer-encoding'] !== undefined) problems.push('found a transfer encoding, wanted none');
  if (isPacked !== bytes > 1_024) problems.push(`found ${bytes} bytes ${isPacked ? '' : 'not '}packed`);
  return problems;
}

function actionsOf(text: string, problems: string[]): readonly BulkAction[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) problems.push('found no newline at the end, wanted one');
  const lines = text.split('\n').slice(0, -1);
  if (lines.length % 2 === 1) problems.push(`found ${lines.length} lines, wanted two for each document`);
  return lines.flatMap((line, at) => {
    if (at % 2 === 1) return [];
    const json = lines[at + 1] ?? '';
    const action = parsed(line);
    const document = parsed(json);
    const { _index: index, _id: id, ...rest } = parsedMember(action, 'create');
    if (Object.keys(action).join() !== 'create' || typeof index !== 'string' || typeof id !== 'string') {
      problems.push(`found action ${line.slice(0, 100)}, wanted create with _index and _id`);
      return [];
    }
    if (Object.keys(rest).length > 0) problems.push(`found ${Object.keys(rest)} in an action, wanted no more`);
    if (!/^[0-9a-f]{32}$/.test(id)) problems.push(`found _id ${id}, wanted 32 hexadecimal digits`);
    if (Object.keys(document).length === 0) problems.push(`found document ${json.slice(0, 100)}, wanted an object`);
    return [{ index, id, document, json }];
  });
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    return {};
  }
}

function parsedMember(value: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const member = value[name];
  return typeof member === 'object' && member !== null ? (member as Readonly<Record<string, unknown>>) : {};
}
