import { closeSync, existsSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { type FilePosition, followFile } from '../../src/lib/tail.ts';
import { copyTruncate, tick } from './tail-follower.ts';

/** A program that logs, and may go on in a renamed file for a while. */
interface Writer {
  readonly path: string;
  readonly written: string[];
  fd: number;
  /** The part of a line that was written last. */
  part: string;
  /** How often the log was renamed since it was opened. */
  behind: number;
  rotations: number;
  copies: number;
  /** Whether the log was made again some time after it had been renamed, and nothing has been read of it. */
  late: boolean;
}

/** A program that follows, is killed now and then, and keeps only what it committed. */
interface Reader {
  from: FilePosition | 'start';
  committed: string;
  /** Given out since the last commit. */
  pending: string;
  position: FilePosition | null;
  /** Batches to take before the next commit. */
  readonly every: number;
  readonly gaps: string[];
  abort: AbortController;
  done: Promise<void>;
}

type Step =
  | 'lines'
  | 'many'
  | 'part'
  | 'rename'
  | 'rename late'
  | 'reopen'
  | 'copytruncate'
  | 'wait'
  | 'breathe'
  | 'kill';

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('lines' as const) },
    { weight: 1, arbitrary: fc.constant('many' as const) },
    { weight: 2, arbitrary: fc.constant('part' as const) },
    { weight: 2, arbitrary: fc.constantFrom('rename' as const, 'rename late' as const) },
    { weight: 2, arbitrary: fc.constant('reopen' as const) },
    { weight: 2, arbitrary: fc.constant('copytruncate' as const) },
    { weight: 3, arbitrary: fc.constantFrom('wait' as const, 'breathe' as const, 'kill' as const) },
  ),
  { minLength: 5, maxLength: 40 },
);

t.test('any schedule of writing, rotating and killing gives every line once and in order', async (t) => {
  const run = fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (schedule, every, shift) => {
    const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
    const writer = newWriter(join(folder, 'app.log'));
    const reader = newReader(every);
    try {
      start(reader, writer.path);
      await caughtUp(reader, writer);
      for (const step of schedule) await take(step, { writer, reader, shift });
      endPart(writer);
      await caughtUp(reader, writer);
    } finally {
      await kill(reader);
      closeSync(writer.fd);
      rmSync(folder, { recursive: true, force: true });
    }
    const wrong = difference(reader, writer) ?? reader.gaps[0];
    if (wrong) throw new Error(wrong);
  });
  await fc.assert(run, { seed: 1, numRuns: 40, endOnFailure: true, interruptAfterTimeLimit: 20_000 });
  t.pass('all schedules');
});

async function take(step: Step, { writer, reader, shift }: { writer: Writer; reader: Reader; shift: boolean }) {
  if (step === 'lines') write(writer, 1);
  else if (step === 'many') write(writer, 300);
  else if (step === 'part') writePart(writer);
  else if (step === 'rename' || step === 'rename late') {
    // One that comes late and is renamed within a moment is not told from other people's files.
    if (writer.late) await caughtUp(reader, writer, 1);
    writer.late = false;
    rename(writer, shift, step === 'rename late');
  } else if (step === 'reopen') reopen(writer);
  else if (step === 'copytruncate') cut(writer);
  else if (step === 'wait') await caughtUp(reader, writer);
  else if (step === 'breathe') for (let i = 0; i < 10; i++) await breathe();
  else {
    await kill(reader);
    reader.pending = '';
    start(reader, writer.path);
  }
}

function newWriter(path: string): Writer {
  const writer = {
    path,
    written: [],
    fd: openSync(path, 'a'),
    part: '',
    behind: 0,
    rotations: 0,
    copies: 0,
    late: false,
  };
  write(writer, 1);
  return writer;
}

function write(writer: Writer, count: number): void {
  endPart(writer);
  const from = writer.written.length;
  for (let i = 0; i < count; i++) writer.written.push(`line ${from + i} äöü\n`);
  writeSync(writer.fd, writer.written.slice(from).join(''));
}

function writePart(writer: Writer): void {
  const more = writer.part === '' ? `part ${writer.written.length} ` : 'and more ';
  writeSync(writer.fd, more);
  writer.part += more;
}

function endPart(writer: Writer): void {
  if (writer.part === '') return;
  writeSync(writer.fd, 'end\n');
  writer.written.push(`${writer.part}end\n`);
  writer.part = '';
}

function rename(writer: Writer, shift: boolean, late: boolean): void {
  if (!existsSync(writer.path)) return;
  if (writer.behind === 2) reopen(writer);
  tick(writer.path);
  const { path, rotations } = writer;
  if (shift) for (let n = rotations; n > 0; n--) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  renameSync(path, shift ? `${path}.1` : `${path}-${String(rotations).padStart(3, '0')}`);
  if (!late) writeFileSync(path, '');
  writer.rotations++;
  writer.behind++;
  tick(path);
}

function reopen(writer: Writer): void {
  endPart(writer);
  tick(writer.path);
  closeSync(writer.fd);
  writer.late ||= !existsSync(writer.path);
  writer.fd = openSync(writer.path, 'a');
  writer.behind = 0;
}

function cut(writer: Writer): void {
  if (writer.behind > 0) reopen(writer);
  endPart(writer);
  tick(writer.path);
  copyTruncate(writer.path, `${writer.path}.copy${writer.copies++}`);
  tick(writer.path);
}

function newReader(every: number): Reader {
  const abort = new AbortController();
  const fresh = { from: 'start' as const, committed: '', pending: '', position: null, gaps: [] };
  return { ...fresh, every, abort, done: Promise.resolve() };
}

function start(reader: Reader, path: string): void {
  reader.abort = new AbortController();
  reader.done = consume(reader, path);
}

async function kill(reader: Reader): Promise<void> {
  reader.abort.abort();
  await reader.done;
}

async function consume(reader: Reader, path: string): Promise<void> {
  const { signal } = reader.abort;
  const onGap = (gap: string) => reader.gaps.push(gap);
  const options = { path, follow: true, from: reader.from, signal, maxLine: 2000, chunk: 500, pollMs: 5, onGap };
  let batches = 0;
  for await (const { bytes, position } of followFile(options)) {
    reader.pending += bytes.toString();
    // The first position is kept before anything else, the later ones now and then.
    if (reader.from !== 'start' && ++batches % reader.every !== 0) continue;
    reader.from = JSON.parse(JSON.stringify(position));
    reader.committed += reader.pending;
    reader.pending = '';
  }
}

async function caughtUp(reader: Reader, writer: Writer, more = 0): Promise<void> {
  if (more > 0) write(writer, more);
  const wanted = writer.written.reduce((sum, line) => sum + line.length, 0);
  const end = Date.now() + 5_000;
  while (reader.committed.length + reader.pending.length < wanted && Date.now() < end) await sleep(2);
}

function difference({ committed, pending }: Reader, { written, rotations, copies }: Writer): string | null {
  const got = (committed + pending).split(/(?<=\n)/);
  const wanted = [...written];
  // A log that is cut short, then renamed, and written to when the next exists: which was first is anybody's guess.
  if (rotations > 0 && copies > 0) for (const lines of [got, wanted]) lines.sort();
  const at = wanted.findIndex((line, i) => line !== got[i]);
  if (at < 0 && got.length === wanted.length) return null;
  return `line ${at} is ${got[at] ?? 'missing'}, wanted ${wanted[at] ?? 'none'}; ${got.length} lines of ${wanted.length}`;
}
