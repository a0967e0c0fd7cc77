import type { JournalEntry } from './journal-export.ts';

/**
 * A place in the journal: behind the entry with this cursor, which was written at `realtime` (microseconds since 1970).
 * An empty cursor is a place without an entry: behind all that was written up to `realtime`; 0 is the very beginning.
 */
export interface JournalPosition {
  readonly cursor: string;
  readonly realtime: number;
}

/** What of the first entries after a restart is known already. */
export interface Seen {
  /** So many entries are to be dropped. */
  readonly count: number;
  /** False: the next entries are to be asked about as well. */
  readonly settled: boolean;
  /** The entry of the position is gone, and perhaps others after it. */
  readonly gap: boolean;
}

/**
 * journalctl's arguments for all after a position. Not `--after-cursor`: once its entry was vacuumed, that one skips the
 * oldest entry there is. `--cursor` starts with the entry itself, or with the next if it is gone: see `dropSeen`.
 */
export function resumeArguments(position: JournalPosition | null): readonly string[] {
  if (position === null) return [];
  if (position.cursor !== '') return [`--cursor=${position.cursor}`];
  return position.realtime > 0 ? [`--since=@${Math.floor(position.realtime / 1e6)}`] : [];
}

/** Compares the first entries of a child that was started with `resumeArguments` with the position. */
export function dropSeen(entries: readonly JournalEntry[], position: JournalPosition): Seen {
  if (position.cursor === '') {
    const count = entries.findIndex(({ realtime }) => realtime > position.realtime);
    return count < 0 ? { count: entries.length, settled: false, gap: false } : { count, settled: true, gap: false };
  }
  for (const [index, { cursor }] of entries.entries()) {
    if (cursor === position.cursor || isCopy(cursor, position.cursor)) {
      return { count: index + 1, settled: true, gap: false };
    }
    if (!isNeighbourOfCopy(cursor, position.cursor)) break;
  }
  return { count: 0, settled: true, gap: true };
}

/**
 * journald gives an entry another sequence (`s`, `i`) when it moves it from /run to /var. Boot, times and the hash of its
 * fields stay: `s=…;i=…;b=…;m=…;t=…;x=…`.
 */
function isCopy(cursor: string, other: string): boolean {
  const copied = cursor.indexOf(';b=');
  return isMoved(cursor, other) && copied > 0 && cursor.slice(copied) === other.slice(other.indexOf(';b='));
}

/** Lines that journald read at once have one time stamp, and journalctl finds the first of them in a copy. */
function isNeighbourOfCopy(cursor: string, other: string): boolean {
  return isMoved(cursor, other) && instantOf(cursor) !== '' && instantOf(cursor) === instantOf(other);
}

function isMoved(cursor: string, other: string): boolean {
  return cursor.slice(0, cursor.indexOf(';')) !== other.slice(0, other.indexOf(';'));
}

function instantOf(cursor: string): string {
  const start = cursor.indexOf(';b=');
  return start < 0 ? '' : cursor.slice(start, cursor.indexOf(';x='));
}
