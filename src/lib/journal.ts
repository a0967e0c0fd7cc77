import { backoffMs } from './backoff.ts';
import { failedEnding, type JournalEnding, type JournalSelection, startJournal } from './journal-child.ts';
import { createExportParser, type ExportParser, type JournalEntry } from './journal-export.ts';
import { createJournalHealth, type JournalHealth } from './journal-health.ts';
import { explainEnding, identifyFolders, readJournalTail } from './journal-probe.ts';
import { dropSeen, type JournalPosition, resumeArguments } from './journal-resume.ts';

export type { JournalEntry, JournalPosition };

/** Entries in the journal's order, and the position after the last of them. */
export interface JournalBatch {
  readonly entries: readonly JournalEntry[];
  /** Bytes of the messages. */
  readonly bytes: number;
  /** Messages that were longer than `maxEntry` and are missing. */
  readonly tooLong: number;
  /** Null as long as nothing was read from `start`. */
  readonly position: JournalPosition | null;
  /** False while entries are read that were there before the reading began. */
  readonly live: boolean;
}

/** What to read and whom to tell. */
export interface JournalOptions extends JournalSelection {
  /** True: go on for ever. False: read what there is and end. */
  readonly follow: boolean;
  /** `end`: the first start ever, from behind the newest entry; `start`: everything. */
  readonly from: JournalPosition | 'start' | 'end';
  /** Milliseconds since 1970: the first that is wanted, for `start` only. */
  readonly since?: number;
  /** Milliseconds since 1970: the first that is wanted no more; only without `follow`. */
  readonly until?: number;
  readonly signal: AbortSignal;
  /** Bound of the messages of one entry in bytes; default 1 MiB. */
  readonly maxEntry?: number;
  /** Told when nothing can be read, with the reason, once per reason; with null when it works again. */
  readonly onProblem?: (problem: string | null) => void;
  /** Told when entries may be missing. */
  readonly onGap?: (reason: string) => void;
  /** Milliseconds to wait before try number `attempt` (0 is the first repeat). */
  readonly backoff?: (attempt: number) => number;
  readonly now?: () => number;
}

/**
 * The entries of one unit, each exactly once, through a `journalctl` child that is started again whenever it ends.
 * With `follow` the first batch is empty and carries the position to commit before anything is promised: a reader that
 * starts again with the position of the last batch it was given neither repeats nor misses an entry.
 *
 * With `follow` nothing but an abort ends it and it never throws; without, it throws if journalctl fails. An abort ends
 * it quietly, and its child at once.
 */
export async function* followJournal(options: JournalOptions): AsyncGenerator<JournalBatch> {
  const reading = newReading(options);
  if (options.from === 'end') reading.position = await findEnd(reading);
  if (options.signal.aborted) return;
  if (!options.follow) return yield* readToEnd(reading);
  yield emptyBatch(reading);
  for (let attempt = 0; !options.signal.aborted; attempt++) {
    const before = reading.position;
    const ending = yield* readChild(reading);
    if (options.signal.aborted) return;
    if (ending === 'moved') attempt = -1;
    else if (isRefusal(ending) && before !== null && before.cursor !== '' && before === reading.position) {
      options.onGap?.(`the journal refused the saved cursor ${before.cursor}`);
      reading.position = { cursor: '', realtime: before.realtime };
      yield emptyBatch(reading);
    } else {
      if (before !== reading.position) attempt = 0;
      reading.health.report(explainEnding(options, ending));
      const wait = options.backoff?.(attempt) ?? backoffMs(attempt, BACKOFF);
      if (await reading.health.wait(wait, options.signal)) attempt = -1;
    }
  }
}

interface Reading {
  readonly options: JournalOptions;
  readonly health: JournalHealth;
  readonly now: () => number;
  position: JournalPosition | null;
}

/** How often, without entries, there is a look around. */
const IDLE_MS = 1000;
/** journalctl is told the last microsecond that is wanted. */
const MICROSECOND_MS = 0.001;
const BACKOFF = { firstMs: 200, maxMs: 10_000 };

function newReading(options: JournalOptions): Reading {
  const position = typeof options.from === 'string' ? null : options.from;
  const health = createJournalHealth(options.directory, options.onProblem ?? (() => {}));
  return { options, health, now: options.now ?? Date.now, position };
}

/**
 * The position behind everything there is. Where there is nothing yet, everything that comes counts, whatever its time
 * stamp says; but where something may be there that cannot be seen today, only what is later than now.
 */
async function findEnd(reading: Reading): Promise<JournalPosition> {
  const { options } = reading;
  const { directory } = options;
  const fromNow = { cursor: '', realtime: reading.now() * 1000 };
  const everything = { cursor: '', realtime: 0 };
  if (directory !== null && (await identifyFolders(directory)) === '-') {
    reading.health.report(`${directory} does not exist, wanted a folder of journal files`);
    return everything;
  }
  const { entry, ending } = await readJournalTail(options, options.signal);
  if (entry) return { cursor: entry.cursor, realtime: entry.realtime };
  if (options.signal.aborted) return fromNow;
  if (ending.code !== 0) {
    reading.health.report(explainEnding(options, ending));
    return fromNow;
  }
  return (await reading.health.reportUnreadable()) ? fromNow : everything;
}

async function* readToEnd(reading: Reading): AsyncGenerator<JournalBatch, undefined> {
  const { options } = reading;
  const before = reading.position;
  const ending = yield* readChild(reading);
  if (options.signal.aborted || ending === 'moved') return;
  if (ending.code !== 0) {
    throw new Error(`cannot read the journal of ${options.unit}: ${explainEnding(options, ending)}`);
  }
  if (reading.position === before) await reading.health.reportUnreadable();
}

/** The life of one child. `moved`: what it looks at is not the journal any more. */
async function* readChild(reading: Reading): AsyncGenerator<JournalBatch, JournalEnding | 'moved'> {
  const { options } = reading;
  const { follow, signal } = options;
  const folders = follow ? await identifyFolders(options.directory) : '';
  const startedAt = reading.now() * 1000;
  const child = startJournal(options, rangeOf(reading), signal);
  const parser = createExportParser(options.maxEntry ?? 2 ** 20);
  let resume = reading.position;
  let live = false;
  let proven = false;
  try {
    for (;;) {
      const chunk = await child.read(IDLE_MS);
      if (signal.aborted || chunk === 'end') return await child.ended;
      if (chunk === 'idle') {
        live = follow;
        if (follow && (await reading.health.hasMoved(folders, proven))) return 'moved';
        proven = true;
        continue;
      }
      const found = pushed(parser, chunk);
      if (found instanceof Error) return failedEnding(found.message);
      if (found.length === 0) continue;
      proven = true;
      reading.health.report(null);
      const seen = resume && dropSeen(found, resume);
      if (seen?.gap) options.onGap?.('the entry read last is gone from the journal, perhaps with others after it');
      if (seen?.settled) resume = null;
      const entries = seen ? found.slice(seen.count) : found;
      const last = entries.at(-1);
      if (last === undefined) continue;
      live ||= follow && last.realtime >= startedAt;
      reading.position = { cursor: last.cursor, realtime: last.realtime };
      yield { entries, ...sumsOf(entries), position: reading.position, live };
    }
  } finally {
    child.kill();
    await child.ended;
  }
}

/** Output that is no export format is a failure of the child, to be told and tried again like any other. */
function pushed(parser: ExportParser, chunk: Buffer): readonly JournalEntry[] | Error {
  try {
    return parser.push(chunk);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function rangeOf(reading: Reading): readonly string[] {
  const { follow, since, until } = reading.options;
  const at = (ms: number) => `@${(Math.max(ms, 0) / 1000).toFixed(6)}`;
  return [
    ...(follow ? ['--follow', '--no-tail'] : []),
    ...(reading.position === null && since !== undefined
      ? [`--since=${at(since)}`]
      : resumeArguments(reading.position)),
    ...(!follow && until !== undefined ? [`--until=${at(until - MICROSECOND_MS)}`] : []),
  ];
}

function emptyBatch(reading: Reading): JournalBatch {
  return { entries: [], bytes: 0, tooLong: 0, position: reading.position, live: false };
}

function sumsOf(entries: readonly JournalEntry[]): { bytes: number; tooLong: number } {
  let bytes = 0;
  let tooLong = 0;
  for (const entry of entries) {
    bytes += entry.bytes;
    tooLong += entry.tooLong;
  }
  return { bytes, tooLong };
}

/** Only this line tells a refused cursor from other failures (systemd 252). */
function isRefusal(ending: JournalEnding): boolean {
  return ending.code === 1 && ending.complaint.includes('Failed to seek');
}
