import type { HttpAnswer } from '../../lib/http.ts';
import { isObject, objectAt, parseJson } from '../../lib/json-value.ts';
import { postponed } from '../../lib/retry.ts';

/** What is looked at of an answer. */
export type BulkAnswer = Pick<HttpAnswer, 'status' | 'text' | 'retryAfterMs' | 'truncated'>;

/** An item that the server will never take; `index` is its place in the request. */
export interface RefusedItem {
  readonly index: number;
  readonly reason: 'rejected' | 'too_large';
  readonly text: string;
}

/**
 * What to do after a bulk request:
 * - `items`: these are `done` (by their places in the request), those are to be sent `again` after at least `waitMs`,
 *   the rest is `dead`.
 * - `split`: send the halves, each by itself.
 * - `again`: send all once more, after at least `waitMs`.
 * - `hold`: keep everything and read the secret again; somebody has to put it right.
 */
export type BulkVerdict =
  | {
      readonly kind: 'items';
      readonly done: readonly number[];
      readonly again: readonly number[];
      readonly dead: readonly RefusedItem[];
      readonly waitMs: number;
      /** What was said of the first that is to be sent again. */
      readonly text?: string;
      /** Nobody may write these items until somebody has put it right. */
      readonly hold?: true;
    }
  | { readonly kind: 'split'; readonly text: string }
  | {
      readonly kind: 'again';
      readonly waitMs: number;
      readonly text: string;
      /** The request was taken, but what became of its items is not told. */
      readonly untold?: true;
    }
  | { readonly kind: 'hold'; readonly text: string };

/** Judges the answer to a request of `sent` items. Success as a whole says nothing about the items. */
export function judgeBulk({ status, text, retryAfterMs, truncated }: BulkAnswer, sent: number): BulkVerdict {
  const waitMs = retryAfterMs ?? 0;
  const later = postponed(status);
  const told = `HTTP ${status}${reasonIn(text)}`;
  if (later === 'again') return { kind: 'again', waitMs, text: told };
  if (later === 'hold') return { kind: 'hold', text: told };
  if (status >= 300) {
    if (sent > 1) return { kind: 'split', text: told };
    const reason = status === 413 ? 'too_large' : 'rejected';
    return { kind: 'items', done: [], again: [], dead: [{ index: 0, reason, text: told }], waitMs: 0 };
  }
  // All of the answers to fewer items fit in what is kept of an answer; those that were stored say so again.
  if (truncated && sent > 1) return { kind: 'split', text: 'the answer is longer than is read' };
  const items = itemsOf(text);
  if (items === null) return untold(waitMs, `HTTP ${status}, but the answer is not that of a bulk request`);
  if (items.length !== sent) return untold(waitMs, `HTTP ${status}, but ${items.length} of ${sent} items are answered`);
  return judgeItems(items, waitMs);
}

function untold(waitMs: number, text: string): BulkVerdict {
  return { kind: 'again', waitMs, text, untold: true };
}

interface ItemAnswer {
  readonly status: number;
  readonly text: string;
  /** Nothing is wrong with the item: the index cannot be written to until somebody has put it right. */
  readonly hold: boolean;
}

function judgeItems(items: readonly ItemAnswer[], waitMs: number): BulkVerdict {
  const done: number[] = [];
  const again: number[] = [];
  const dead: RefusedItem[] = [];
  let told: string | null = null;
  let hold = false;
  for (const [index, item] of items.entries()) {
    const { status } = item;
    const why = item.text || `status ${status}`;
    // 409: it is there already.
    if ((status >= 200 && status < 300) || status === 409) done.push(index);
    else if (item.hold || isPostponed(status)) {
      again.push(index);
      told ??= why;
      hold ||= item.hold;
    } else dead.push({ index, reason: status === 413 ? 'too_large' : 'rejected', text: why });
  }
  return { kind: 'items', done, again, dead, waitMs, ...(told !== null && { text: told }), ...(hold && { hold }) };
}

function isPostponed(status: number): boolean {
  return status < 400 || status === 408 || status === 429 || status >= 500;
}

/**
 * What Elasticsearch and OpenSearch tell of each item with 400 or 404, although it is true of the index: it is not there
 * and may not be made (`action.auto_create_index`), is closed, cannot be called so, is one shard too many for the cluster,
 * or is an alias of several. Seen in Elasticsearch 8.18 and OpenSearch 2.19.
 */
const INDEX_ERRORS: ReadonlySet<unknown> = new Set([
  'index_not_found_exception',
  'index_closed_exception',
  'invalid_index_name_exception',
  'validation_exception',
]);
const NO_WRITE_INDEX = 'no write index is defined for alias';

/** The user may not write to the index, or nobody may, as when the disk is full; or there is none to write to. */
function isOfIndex(status: number, error: unknown): boolean {
  if (status === 401 || status === 403) return true;
  if (!isObject(error) || (status !== 400 && status !== 404)) return false;
  return INDEX_ERRORS.has(error.type) || String(error.reason).startsWith(NO_WRITE_INDEX);
}

/** Null if this is no answer to a bulk request, or an item has no status. */
function itemsOf(text: string): readonly ItemAnswer[] | null {
  const body = parseJson(text);
  if (!isObject(body) || !Array.isArray(body.items)) return null;
  const items: ItemAnswer[] = [];
  for (const item of body.items as readonly unknown[]) {
    // Under the name of the action, which some servers change to `index`.
    const told = isObject(item) ? Object.values(item)[0] : undefined;
    if (!isObject(told) || typeof told.status !== 'number') return null;
    const { status, error } = told;
    items.push({ status, text: errorText(error), hold: isOfIndex(status, error) });
  }
  return items;
}

/** `error.type: error.reason`, and what was the cause, which often says more. */
function errorText(error: unknown): string {
  if (typeof error === 'string') return shortened(error);
  if (!isObject(error)) return '';
  const told = [error.type, error.reason].filter((part) => typeof part === 'string').join(': ');
  const cause = objectAt(error, 'caused_by')?.reason;
  return shortened(typeof cause === 'string' && !told.includes(cause) ? `${told} (${cause})` : told);
}

/** What the body of a refusal tells, if anything: `: ` and the reason. Pages for people tell nothing. */
export function reasonIn(text: string): string {
  const body = parseJson(text);
  const reason = isObject(body) ? errorText(body.error) : text.trimStart().startsWith('<') ? '' : shortened(text);
  return reason && `: ${reason}`;
}

function shortened(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300).toWellFormed();
}
