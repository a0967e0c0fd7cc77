import { type Batch, isWithin, type SourceContext } from '../../core/source.ts';
import { followJournal, type JournalBatch, type JournalEntry } from '../../lib/journal.ts';
import type { JournalPosition } from '../../lib/journal-resume.ts';
import { type ScannedLines, scanFile } from '../../lib/scan.ts';
import { type FileBatch, type FilePosition, followFile } from '../../lib/tail.ts';
import type { LogsConfig } from './config.ts';
import { EntryLine, isPlainEntry, type Line, type PieceOptions, splitLines, toLine } from './lines.ts';
import type { REACTION_METRICS } from './metrics.ts';
import { NumberedLines, type Taker } from './numbered.ts';

/** What of the context reading needs. */
export type ReadContext = Pick<
  SourceContext<typeof REACTION_METRICS>,
  'follow' | 'range' | 'mayPass' | 'report' | 'log' | 'signal' | 'now'
>;

/** A saved position: which log it belongs to, and the place in it, as the reader of that kind of log gave it out. */
interface LogPosition {
  readonly log: string;
  readonly place: unknown;
}

type LogContext = ReadContext & { readonly onEnd: () => void; readonly taker: Taker };

/** Reads on in reaction's log, in the journal or a file. `onEnd` is told when the end of what was there is reached. */
export function readLog(logs: LogsConfig, position: unknown, context: LogContext): AsyncIterable<Batch<Line>> {
  const log = logs.file === null ? `journal ${logs.directory ?? ''} ${logs.systemd}` : `file ${logs.file}`;
  // What `readLog` gave out comes back as it was.
  const saved = position as LogPosition | null | undefined;
  if (saved && saved.log !== log)
    context.log.warn({ log, before: saved.log }, 'another log than before: read from now on');
  const place = saved?.log === log ? saved.place : undefined;
  return positioned(log, logs.file === null ? readJournal(logs, place, context) : readFile(logs.file, place, context));
}

async function* positioned(log: string, batches: AsyncIterable<Batch<Line>>): AsyncGenerator<Batch<Line>> {
  for await (const batch of batches) yield { ...batch, position: { log, place: batch.position } satisfies LogPosition };
}

function readFile(path: string, position: unknown, context: LogContext): AsyncIterable<Batch<Line>> {
  return context.follow ? followLog(path, position, context) : numberedLines(scanFile(path, context.signal), context);
}

async function* followLog(
  path: string,
  position: unknown,
  { range, report, signal, now, onEnd }: LogContext,
): AsyncGenerator<Batch<Line>> {
  const batches = followFile({
    path,
    follow: true,
    // A saved position is one that `followFile` gave out before.
    from: (position as FilePosition | null | undefined) ?? 'end',
    signal,
    now,
    onProblem: (problem) => report.problem(problem),
    onGap: (reason) => report.error(reason),
  });
  for await (const batch of batches) {
    if (batch.live || batch.caughtUp) onEnd();
    yield fileBatch(batch, range, now());
  }
}

async function* numberedLines(
  scanned: AsyncIterable<ScannedLines>,
  { range, mayPass, now, taker }: LogContext,
): AsyncGenerator<Batch<Line>> {
  const isWhole = range.since === null && range.until === null;
  const numbered = new NumberedLines(mayPass && isWhole ? taker : null);
  try {
    for await (const batch of scanned) {
      const { items, passed } = numbered.of(batch, pieceOf(batch, now()));
      yield { ...lineBatch(items, batch, range), passed };
    }
  } finally {
    numbered.end();
  }
}

function fileBatch(batch: FileBatch, range: ReadContext['range'], now: number): Batch<Line> {
  const { bytes, offset } = batch;
  return lineBatch(splitLines(bytes, offset, pieceOf(batch, now)), { ...batch, length: bytes.length }, range);
}

function pieceOf({ dev, ino, live }: Pick<FileBatch, 'dev' | 'ino' | 'live'>, now: number): PieceOptions {
  return { origin: { cursor: `${dev}:${ino}` }, time: live ? now : null, now };
}

function lineBatch(
  lines: Iterable<Line>,
  { position, length, tooLong }: Pick<ScannedLines, 'position' | 'length' | 'tooLong'>,
  range: ReadContext['range'],
): Batch<Line> {
  const items = range.since === null && range.until === null ? lines : within(lines, range);
  return { items, position, bytes: length, ...(tooLong > 0 && { rejected: { too_long: tooLong } }) };
}

function* within(lines: Iterable<Line>, range: ReadContext['range']): Generator<Line> {
  for (const line of lines) if (isWithin(line.time, range)) yield line;
}

async function* readJournal(
  { systemd, directory }: LogsConfig,
  position: unknown,
  { follow, range, report, signal, now, onEnd }: LogContext,
): AsyncGenerator<Batch<Line>> {
  const unit = systemd ?? '';
  const batches = followJournal({
    unit: unit.includes('.') ? unit : `${unit}.service`,
    directory,
    follow,
    // A saved position is one that `followJournal` gave out before.
    from: (position as JournalPosition | null | undefined) ?? (follow ? 'end' : 'start'),
    ...(range.since !== null && { since: range.since }),
    ...(range.until !== null && { until: range.until }),
    signal,
    now,
    onProblem: (problem) => report.problem(problem),
    onGap: (reason) => report.error(reason),
  });
  for await (const batch of batches) {
    if (batch.live) onEnd();
    yield journalBatch(batch, now());
  }
}

function journalBatch({ entries, position, bytes, tooLong }: JournalBatch, now: number): Batch<Line> {
  const items = { [Symbol.iterator]: () => new EntryLines(entries, now) };
  return { items, position, bytes, ...(tooLong > 0 && { rejected: { too_long: tooLong } }) };
}

/** The lines of entries. A generator would do the same in more time. */
class EntryLines implements Iterator<Line> {
  readonly #entries: JournalBatch['entries'];
  readonly #now: number;
  #next = 0;
  /** Lines of an entry with several, from the last on. */
  #more: Line[] = [];

  constructor(entries: JournalBatch['entries'], now: number) {
    this.#entries = entries;
    this.#now = now;
  }

  next(): IteratorResult<Line, undefined> {
    const more = this.#more.pop();
    if (more) return { done: false, value: more };
    const entry = this.#entries[this.#next++];
    if (!entry) return { done: true, value: undefined };
    if (isPlainEntry(entry)) return { done: false, value: new EntryLine(entry, this.#now) };
    this.#more = linesOf(entry, this.#now).reverse();
    return this.next();
  }
}

function linesOf(entry: JournalEntry, now: number): Line[] {
  const { time, invocation, messages } = entry;
  const piece = { origin: entry, time, now, invocation };
  // An entry without a message is as good as a blank line.
  return messages.length === 0 ? [toLine('', 0, piece)] : messages.map((message, at) => toLine(message, at, piece));
}
