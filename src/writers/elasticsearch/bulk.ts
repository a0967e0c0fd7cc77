import { createHash } from 'node:crypto';
import { sourceType } from '../event-data.ts';

/** Size that a request should not exceed, in bytes before compression: the smallest managed servers take 10 MiB. */
export const BATCH_BYTES = 5 * 1024 * 1024;

/** Largest document worth sending, in bytes: `http.max_content_length` of a server that was left as it came. */
export const DOCUMENT_LIMIT = 100 * 1000 * 1000;

/** An event as it travels: two lines, each with its newline, and their size in bytes. */
export interface BulkItem {
  readonly text: string;
  readonly bytes: number;
}

/** A document, as JSON can say it. */
export type Document = { readonly [key: string]: unknown };

/**
 * The `_id` of an event: 32 hexadecimal digits, the first 16 bytes of the SHA-256 of `<source type>\n<event id>`. An
 * event that is sent twice meets itself.
 */
export function documentId(source: string, id: string): string {
  return createHash('sha256')
    .update(`${sourceType(source)}\n${id}`)
    .digest('hex')
    .slice(0, 32);
}

/**
 * Action and document of an event. `create` is the one action that data streams take, and stores an id once. Null if the
 * document is above `DOCUMENT_LIMIT`, or cannot be written as text for its size.
 */
export function bulkItem(index: string, id: string, document: Document): BulkItem | null {
  const json = documentText(document);
  if (json === null) return null;
  const text = `${JSON.stringify({ create: { _index: index, _id: id } })}\n${json}\n`;
  const bytes = Buffer.byteLength(text);
  return bytes > DOCUMENT_LIMIT ? null : { text, bytes };
}

/** The body of a request; empty for no items, and then nothing is to be sent. */
export function bulkBody(items: readonly BulkItem[]): string {
  return items.map(({ text }) => text).join('');
}

/** Text of a document. One that is nested too deep to be written, or longer than a text can be, goes without its record. */
function documentText(document: Document): string | null {
  for (const shown of [document, { ...document, raw: undefined }]) {
    try {
      return JSON.stringify(shown);
    } catch {
      // RangeError: stack or length of a text.
    }
  }
  return null;
}
