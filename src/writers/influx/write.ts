import type { Event } from '../../core/event.ts';
import type { Written } from '../../core/writer.ts';
import { batches, halves } from '../../lib/batches.ts';
import type { HttpAnswer } from '../../lib/http.ts';
import { strangeAnswer } from '../connection.ts';
import { held, type Postponed, startTally, type Tally, unanswered } from '../tally.ts';
import { judgeWrite } from './answer.ts';

/** Most bytes of a request before compression; a longer line travels alone. */
const BATCH_BYTES = 5 * 1024 * 1024;

export interface PointWriting {
  /** The line of an event; null if there is none. */
  readonly encode: (event: Event) => string | null;
  /** Sends lines; throws if no answer comes. */
  readonly send: (lines: readonly string[]) => Promise<HttpAnswer>;
}

/**
 * Writes events as points, in requests of at most 5 MiB. A request that is refused without a word on which line is bad
 * is sent by halves until the bad ones stand alone. At the first answer that asks for a wait the rest is left.
 */
export async function writePoints(events: readonly Event[], { encode, send }: PointWriting): Promise<Written> {
  const tally = startTally();
  const lines: Line[] = [];
  for (const [index, event] of events.entries()) {
    const text = encode(event);
    if (text !== null) lines.push({ index, text });
    else tally.refuse({ index, reason: 'rejected', text: 'nothing of it can be written as a point' });
  }
  const sizes = lines.map(({ text }) => Buffer.byteLength(text) + 1);
  for (const { start, end } of batches(sizes, { count: Math.max(1, lines.length), bytes: BATCH_BYTES })) {
    const postponed = await sendLines(lines.slice(start, end), send, tally);
    if (postponed) return tally.written(postponed);
  }
  return tally.written(null);
}

interface Line {
  readonly index: number;
  readonly text: string;
}

/** Null once all of them are settled. */
async function sendLines(lines: readonly Line[], send: PointWriting['send'], tally: Tally): Promise<Postponed | null> {
  const texts = lines.map(({ text }) => text);
  let answer: HttpAnswer;
  try {
    answer = await send(texts);
  } catch (error) {
    return unanswered(error);
  }
  const strange = strangeAnswer(answer);
  if (strange !== null) return held(strange);
  const verdict = judgeWrite(answer, texts);
  const place = (at: number) => lines[at]?.index ?? -1;
  switch (verdict.kind) {
    case 'done':
      tally.done(lines.map(({ index }) => index));
      return null;
    case 'partial': {
      const named = new Set(verdict.dead.map(({ index }) => index));
      tally.done(lines.flatMap(({ index }, at) => (named.has(at) ? [] : [index])));
      for (const { index, text } of verdict.dead) tally.refuse({ index: place(index), reason: 'rejected', text });
      tally.drop(verdict.dropped);
      return null;
    }
    case 'dead':
      tally.refuse({ index: place(0), reason: verdict.reason, text: verdict.text });
      return null;
    case 'split':
      for (const { start, end } of halves({ start: 0, end: lines.length })) {
        const postponed = await sendLines(lines.slice(start, end), send, tally);
        if (postponed) return postponed;
      }
      return null;
    case 'again':
      return { waitMs: verdict.waitMs, hold: false, text: verdict.text };
    case 'hold':
      return held(verdict.text);
  }
}
