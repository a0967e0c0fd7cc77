import type { Event } from '../../core/event.ts';
import type { Refused, Written } from '../../core/writer.ts';
import { halves, type Range } from '../../lib/batches.ts';
import { held, type Postponed, startTally } from '../tally.ts';
import { type Judgement, judgeError } from './errors.ts';

export interface GraphWriting {
  /** Writes these in one transaction; false if nothing of them had to be written. */
  readonly transact: (events: readonly Event[]) => Promise<boolean>;
  /** Throws if the server takes nothing at all. */
  readonly probe: () => Promise<void>;
  /** The same for all calls of one writer. */
  readonly patience: Patience;
}

/** How often the batch at hand failed in a way that tells nothing. */
export interface Patience {
  batch: string;
  tries: number;
}

/** Nothing has failed yet. */
export function patience(): Patience {
  return { batch: '', tries: 0 };
}

/**
 * Writes events in one transaction. One that is refused for what is in it is tried by halves, until the bad events stand
 * alone. If all of them do, it is not they who are bad, and they wait.
 */
export async function writeGraph(events: readonly Event[], writing: GraphWriting): Promise<Written> {
  const task: Task = { events, writing, accepted: [], refused: [], isProven: false, isLasting: false };
  const postponed = await writeRange(task, { start: 0, end: events.length });
  const { accepted, refused } = task;
  const tally = startTally();
  tally.done(accepted);
  if (refused.length > 0 && !task.isProven && !(await isOneBad(task))) {
    const written = tally.written(postponed ?? held(`every event of a batch is refused: ${refused[0]?.text}`));
    // One that is taken tells that it is they who are bad.
    return written.kind === 'later' ? { ...written, more: true } : written;
  }
  for (const one of refused) tally.refuse(one);
  return tally.written(postponed);
}

/** How often what looks like a race is tried at once. */
const RACES = 3;
/** How often an unclear error is waited for. */
const UNCLEAR_TRIES = 20;

interface Task {
  readonly events: readonly Event[];
  readonly writing: GraphWriting;
  /** Places of the events that are written. */
  readonly accepted: number[];
  readonly refused: Refused[];
  /** The server took an event of this batch: what it refuses is bad. */
  isProven: boolean;
  /** An unclear error has lasted: it is taken for a refusal. */
  isLasting: boolean;
}

/** Null once all of them are settled. */
async function writeRange(task: Task, range: Range): Promise<Postponed | null> {
  const { start, end } = range;
  const failed = await tryRange(task.events.slice(start, end), task.writing);
  if (typeof failed === 'boolean') {
    task.isProven ||= failed;
    for (let index = start; index < end; index++) task.accepted.push(index);
    return null;
  }
  const { kind, text } = failed;
  if (kind === 'hold') return held(text);
  if (kind === 'unclear' && task.writing.patience.tries >= UNCLEAR_TRIES) task.isLasting = true;
  const later = { waitMs: 0, hold: false, text };
  if (kind === 'again' || (kind === 'unclear' && !task.isLasting)) return later;
  if (end - start > 1) {
    for (const half of halves(range)) {
      const postponed = await writeRange(task, half);
      if (postponed) return postponed;
    }
    return null;
  }
  if (kind === 'smaller') return later;
  task.refused.push({ index: start, reason: 'rejected', text });
  return null;
}

/** Whether something was written, or why not. */
async function tryRange(events: readonly Event[], { transact, patience }: GraphWriting): Promise<Judgement | boolean> {
  for (let race = 0; ; race++) {
    try {
      const isWritten = await transact(events);
      if (patience.batch === batchName(events)) patience.tries = 0;
      return isWritten;
    } catch (error) {
      const judged = judgeError(error);
      if (judged.kind === 'race' && race < RACES) continue;
      if (judged.kind === 'unclear') countTry(patience, batchName(events));
      return judged;
    }
  }
}

function countTry(patience: Patience, batch: string): void {
  if (patience.batch === batch) patience.tries += 1;
  else Object.assign(patience, { batch, tries: 1 });
}

/** A batch is known by its first event. */
function batchName([first]: readonly Event[]): string {
  return `${first?.source}:${first?.id}`;
}

/** A single event may well be the bad one, if the server lets anything be written. */
async function isOneBad({ refused, writing }: Task): Promise<boolean> {
  if (refused.length !== 1) return false;
  return writing.probe().then(
    () => true,
    () => false,
  );
}
