import fc from 'fast-check';
import t from 'tap';
import { type FilePosition, followFile } from '../../src/lib/tail.ts';
import { seedOf } from '../support/random.ts';
import { betweenLooks, newWorld, type World } from './tail-world.ts';

/** A program that follows, is killed now and then, and keeps only what it committed. */
interface Reader {
  from: FilePosition | 'start';
  committed: string;
  /** Given out since the last commit. */
  pending: string;
  readonly gaps: string[];
}

const STEPS = ['line', 'lines', 'part', 'rename', 'create', 'copytruncate', 'reopen', 'nothing'] as const;
type Step = (typeof STEPS)[number];

/** What happens when; all times are looks of the reader at files and folders. */
interface Schedule {
  /** What is begun, and how long it takes until the next is. */
  readonly steps: readonly (readonly [Step, number])[];
  /** How long the acts of rotations take, gone through in turn. */
  readonly gaps: readonly number[];
  /** How long the reader lives, each time but the last. */
  readonly lives: readonly number[];
  /** Batches to take before each commit. */
  readonly every: number;
}

const gap = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(6) }, fc.nat(25));
const schedules: fc.Arbitrary<Schedule> = fc.record({
  steps: fc.array(fc.tuple(fc.constantFrom(...STEPS), gap), { minLength: 5, maxLength: 30 }),
  gaps: fc.array(gap, { minLength: 1, maxLength: 12 }),
  lives: fc.array(fc.oneof(fc.nat(60), fc.nat(200)), { maxLength: 6 }),
  every: fc.integer({ min: 1, max: 4 }),
});

const KILLED = new Error('killed');
/** By then something was lost. */
const MOST_LOOKS = 6_000;
/** When all lines have come, none must come again in so many looks. */
const LOOKS_AFTER = 40;

let look = () => {};

t.test('whatever happens between any two looks: every line once', async (t) => {
  await betweenLooks(t, () => look());
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const reader: Reader = { from: 'start', committed: '', pending: '', gaps: [] };
    const world = newWorld(() => reader.committed.length + reader.pending.length);
    try {
      await live(world, reader, schedule);
    } finally {
      look = () => {};
      world.remove();
    }
    const wrong = difference(reader, world) ?? reader.gaps[0];
    if (wrong) throw new Error(wrong);
  });
  await fc.assert(property, { seed: seedOf(3), numRuns: 50, endOnFailure: true });
  t.pass('all schedules');
});

/** Goes through a schedule, until all was read or something must be wrong. */
async function live(world: World, reader: Reader, { steps, gaps, lives, every }: Schedule): Promise<void> {
  const abort = new AbortController();
  const happen = happenings(world, steps, gaps);
  const deaths = [...lives];
  let life = deaths.shift();
  let looks = 0;
  let after = 0;
  world.line();
  look = () => {
    // What comes before the first position is nobody's.
    if (reader.from === 'start') return;
    after = happen() && isComplete(reader, world) ? after + 1 : 0;
    if (after > LOOKS_AFTER || ++looks > MOST_LOOKS) abort.abort();
    if (abort.signal.aborted || life === undefined || life-- > 0) return;
    life = deaths.shift();
    throw KILLED;
  };
  while (!abort.signal.aborted) {
    try {
      await follow(world.path, reader, every, abort.signal);
    } catch (error) {
      if (error !== KILLED) throw error;
      reader.pending = '';
    }
  }
}

/** To be called at each look: does what is due. True: nothing more will come. */
function happenings(world: World, steps: Schedule['steps'], gaps: Schedule['gaps']): () => boolean {
  const left = [...steps];
  let turn = 0;
  let wait = 0;
  let isOver = false;
  return () => {
    for (wait -= 1; wait < 0 && !isOver; ) {
      const act = world.act();
      if (act === 'waits') break;
      const [step, time] = act === 'done' ? (['nothing', gaps[turn++ % gaps.length]] as const) : (left.shift() ?? []);
      isOver = step === undefined;
      // The last line ends a part.
      take(step ?? 'line', world);
      wait += time ?? 0;
    }
    return isOver;
  };
}

function take(step: Step, world: World): void {
  if (step === 'line') world.line();
  else if (step === 'lines') for (let i = 0; i < 60; i++) world.line();
  else if (step === 'part') world.part();
  else if (step === 'reopen') world.reopen();
  else if (step !== 'nothing') world.rotate(step);
}

async function follow(path: string, reader: Reader, every: number, signal: AbortSignal): Promise<void> {
  const onGap = (gap: string) => reader.gaps.push(gap);
  const options = { path, follow: true, from: reader.from, signal, maxLine: 2_000, chunk: 500, pollMs: 0, onGap };
  let batches = 0;
  for await (const { bytes, position } of followFile(options)) {
    reader.pending += bytes.toString();
    // The first position is kept before anything else, the later ones now and then.
    if (reader.from !== 'start' && ++batches % every !== 0) continue;
    reader.from = JSON.parse(JSON.stringify(position));
    reader.committed += reader.pending;
    reader.pending = '';
  }
}

function isComplete({ committed, pending }: Reader, { written }: World): boolean {
  return committed.length + pending.length >= written.reduce((sum, line) => sum + line.length, 0);
}

/** Their order is looked at elsewhere: lines that one program writes to two files have none. */
function difference({ committed, pending }: Reader, { written }: World): string | null {
  const counts = new Map(written.map((line) => [line, 0]));
  for (const line of (committed + pending).match(/[^\n]*\n/g) ?? []) counts.set(line, (counts.get(line) ?? 0) + 1);
  const wrong = [...counts].filter(([, count]) => count !== 1).map(([line, count]) => `${count} of ${line.trim()}`);
  return wrong.length > 0 ? `of ${written.length} lines: ${wrong.slice(0, 12).join(', ')}` : null;
}
