import type { Event } from '../../core/event.ts';
import type { Refused, Written } from '../../core/writer.ts';
import type { HttpAnswer } from '../../lib/http.ts';
import { explained } from '../hints.ts';
import { type Postponed, startTally } from '../tally.ts';
import { judge } from './answer.ts';
import type { Doubt } from './doubt.ts';
import type { Message } from './request.ts';

export interface Sending {
  /** Headers and body of an event, the same each time. */
  readonly message: (event: Event) => Message;
  /** Sends it; throws if no answer comes. */
  readonly post: (message: Message) => Promise<HttpAnswer>;
  /** Most requests at the same time. */
  readonly concurrency: number;
  /** The same for all calls of one writer. */
  readonly doubt: Doubt;
}

/** What became of the events, and whether the sink left any of them without an answer. */
export type Sent = Written & { readonly unanswered: boolean };

/**
 * Sends events, each by itself, some at a time: their order is kept as far as answers come in it. At the first answer that
 * asks for a wait no more are begun. A refusal is for good only if the sink takes other events.
 */
export async function sendEvents(events: readonly Event[], sending: Sending): Promise<Sent> {
  const { doubt, concurrency } = sending;
  const run: Run = { tally: startTally(), refused: [], stop: null, failures: 0, unanswered: false };
  const order = doubt.order(events.map(({ id }) => id));
  let next = 0;
  const lane = async () => {
    while (run.stop === null && next < order.length) {
      const index = order[next++]!;
      await sendOne(index, events[index]!, sending, run);
    }
  };
  for (;;) {
    await Promise.all(Array.from({ length: concurrency }, lane));
    // What was under way when too many were refused may have been accepted after all.
    if (run.stop !== WRONG || doubt.isWrong()) break;
    run.stop = null;
  }
  const { unanswered } = run;
  const written = concluded(run, doubt);
  if (written.kind === 'done') return { ...written, unanswered };
  return { ...written, failures: Math.max(1, run.failures), unanswered };
}

/** So many were refused that it is not about them; told by itself, as an event that is accepted takes it back. */
const WRONG: Postponed = { waitMs: 0, hold: true, text: '' };

interface Run {
  readonly tally: ReturnType<typeof startTally>;
  /** By a sink that has not proven itself. */
  refused: Refused[];
  stop: Postponed | null;
  /** Requests without an answer, or with one that asks for a wait. */
  failures: number;
  unanswered: boolean;
}

async function sendOne(index: number, event: Event, { message, post, doubt }: Sending, run: Run): Promise<void> {
  let answer: HttpAnswer;
  try {
    answer = await post(message(event));
  } catch (error) {
    run.unanswered = true;
    postpone(run, { waitMs: 0, hold: false, text: explained(error) });
    return;
  }
  const { kind, reason, text } = judge(answer);
  const waitMs = answer.retryAfterMs ?? 0;
  switch (kind) {
    case 'done':
      doubt.accepted();
      run.tally.done([index]);
      for (const one of run.refused.splice(0)) run.tally.refuse(one);
      return;
    case 'refused':
      doubt.refused(event.id);
      if (doubt.isWrong()) run.stop ??= WRONG;
      if (doubt.isProven() && !doubt.isWrong()) run.tally.refuse({ index, reason, text });
      else run.refused.push({ index, reason, text });
      return;
    case 'again':
    case 'hold':
      postpone(run, { waitMs, hold: kind === 'hold', text });
  }
}

/** Of several reasons to wait, one that needs somebody is the one to tell. */
function postpone(run: Run, postponed: Postponed): void {
  const { stop } = run;
  run.failures += 1;
  if (stop === null || stop === WRONG || (postponed.hold && !stop.hold)) run.stop = postponed;
  else if (postponed.waitMs > stop.waitMs) run.stop = { ...stop, waitMs: postponed.waitMs };
}

function concluded({ tally, refused, stop }: Run, doubt: Doubt): Written {
  const [first] = refused;
  if (first === undefined || (stop !== null && stop !== WRONG)) return tally.written(stop);
  const many = refused.length === 1 ? 'one event is' : `${refused.length} events are`;
  const why = doubt.isWrong()
    ? 'so many in a row that url may be wrong'
    : 'it is not known yet whether the sink takes any';
  const written = tally.written({ waitMs: 0, hold: doubt.isWrong(), text: `${many} refused, ${why}: ${first.text}` });
  return written.kind === 'later' ? { ...written, more: true } : written;
}
