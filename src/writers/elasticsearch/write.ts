import type { Event } from '../../core/event.ts';
import type { Written } from '../../core/writer.ts';
import { batches, halves } from '../../lib/batches.ts';
import type { HttpAnswer } from '../../lib/http.ts';
import { strangeAnswer } from '../connection.ts';
import { held, type Postponed, startTally, type Tally, unanswered } from '../tally.ts';
import { type BulkVerdict, judgeBulk } from './answer.ts';
import { BATCH_BYTES, type BulkItem, bulkBody } from './bulk.ts';
import { type Doubt, isSearched } from './doubt.ts';

export interface BulkWriting {
  /** Action and document of an event; null if they are too large for any server. */
  readonly item: (event: Event) => BulkItem | null;
  /** Sends the body of a request; throws if no answer comes. */
  readonly send: (body: string) => Promise<HttpAnswer>;
  /** The same for all calls of one writer. */
  readonly doubt: Doubt;
}

/**
 * Writes events as documents, in requests of at most 5 MiB, and takes each at the word of its own item. A request that
 * is refused as a whole is sent by halves. At the first answer that asks for a wait the rest is left.
 */
export async function writeDocuments(events: readonly Event[], writing: BulkWriting): Promise<Written> {
  const tally = startTally();
  const items: PlacedItem[] = [];
  for (const [index, event] of events.entries()) {
    const made = writing.item(event);
    if (made) items.push({ ...made, index, id: event.id });
    else tally.refuse({ index, reason: 'too_large', text: 'larger, or nested deeper, than any server takes' });
  }
  const sizes = items.map(({ bytes }) => bytes);
  for (const { start, end } of batches(sizes, { count: Math.max(1, items.length), bytes: BATCH_BYTES })) {
    const postponed = await sendItems(items.slice(start, end), writing, tally);
    if (postponed) return tally.written(postponed);
  }
  return tally.written(null);
}

interface PlacedItem extends BulkItem {
  /** Of its event. */
  readonly index: number;
  readonly id: string;
}

/** Null once all of them are settled. */
async function sendItems(items: readonly PlacedItem[], writing: BulkWriting, tally: Tally): Promise<Postponed | null> {
  const { send, doubt } = writing;
  let answer: HttpAnswer;
  try {
    answer = await send(bulkBody(items));
  } catch (error) {
    return unanswered(error);
  }
  const strange = strangeAnswer(answer);
  if (strange !== null) return held(strange);
  const verdict = judgeBulk(answer, items.length);
  switch (verdict.kind) {
    case 'items':
      doubt.isTelling = true;
      return settle(items, verdict, tally);
    case 'split':
      return sendHalves(items, writing, tally);
    case 'again':
      if (verdict.untold) {
        const postponed = { waitMs: verdict.waitMs, hold: false, text: verdict.text };
        return isSearched(doubt, items) ? sendApart(items, writing, tally, postponed) : postponed;
      }
      return { waitMs: verdict.waitMs, hold: false, text: verdict.text };
    case 'hold':
      return held(verdict.text);
  }
}

async function sendHalves(items: readonly PlacedItem[], writing: BulkWriting, tally: Tally): Promise<Postponed | null> {
  for (const { start, end } of halves({ start: 0, end: items.length })) {
    const postponed = await sendItems(items.slice(start, end), writing, tally);
    if (postponed) return postponed;
  }
  return null;
}

/** Looks for the document that keeps the server from telling; it is dead, if only the server tells of another one. */
async function sendApart(
  items: readonly PlacedItem[],
  writing: BulkWriting,
  tally: Tally,
  untold: Postponed,
): Promise<Postponed | null> {
  const { doubt } = writing;
  const [first] = items;
  const last = items.at(-1);
  let rest = items;
  if (first && last && first !== last && !doubt.isTelling) {
    for (const one of [last, first]) {
      const isSettled = (await sendItems([one], writing, tally)) === null;
      if (!isSettled) continue;
      rest = rest.filter((item) => item !== one);
      break;
    }
  }
  if (!doubt.isTelling) return untold;
  if (first && items.length === 1) {
    tally.refuse({ index: first.index, reason: 'rejected', text: untold.text });
    return null;
  }
  return rest.length > 1 ? sendHalves(rest, writing, tally) : sendItems(rest, writing, tally);
}

type ItemsVerdict = Extract<BulkVerdict, { readonly kind: 'items' }>;

function settle(items: readonly PlacedItem[], verdict: ItemsVerdict, tally: Tally): Postponed | null {
  const { done, dead, again, waitMs, text = '', hold = false } = verdict;
  const place = (at: number) => items[at]?.index ?? -1;
  tally.done(done.map(place));
  for (const refused of dead) tally.refuse({ ...refused, index: place(refused.index) });
  if (again.length === 0) return null;
  const why = `${again.length} of ${items.length} items are refused: ${text}`;
  return hold ? held(why) : { waitMs, hold, text: why };
}
