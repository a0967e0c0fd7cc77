import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeEnding,
  failedEnding,
  type JournalEnding,
  type JournalSelection,
  startJournal,
} from './journal-child.ts';
import { createExportParser, type JournalEntry } from './journal-export.ts';
import { givenUp } from './timeout.ts';

/** What `doctor` says about a journal. */
export interface JournalProbe {
  /** At least one entry of the unit can be seen. */
  readonly ok: boolean;
  readonly detail: string;
}

/** The newest entry of the unit that can be seen, and how the asking ended. */
export interface JournalTail {
  readonly entry: JournalEntry | null;
  readonly ending: JournalEnding;
}

/** What to do when nothing can be seen, for messages. */
export const JOURNAL_ACCESS_WISH = 'wanted a user in the group systemd-journal or adm';

/** Can entries of the unit be seen, and if not, what may be the reason. Takes 10 s at most if no signal is given. */
export async function probeJournal(selection: JournalSelection & { signal?: AbortSignal }): Promise<JournalProbe> {
  const { unit, directory } = selection;
  const signal = selection.signal ?? AbortSignal.timeout(10_000);
  const { entry, ending } = await readJournalTail(selection, signal);
  if (entry) return { ok: true, detail: `newest entry of ${unit}: ${new Date(entry.time).toISOString()}` };
  if (signal.aborted) return { ok: false, detail: `journalctl: ${givenUp(signal).message}` };
  if (ending.code !== 0) return { ok: false, detail: explainEnding(selection, ending) };
  const closed = await findUnreadable(directory);
  const found = closed === null ? '' : ` ${closed} cannot be read.`;
  return {
    ok: false,
    detail:
      `no entry of ${unit} can be seen in ${directory ?? 'the journal'}.${found} Check the name of the unit, ` +
      'the groups of the user (systemd-journal or adm) and Storage= in journald.conf',
  };
}

/** Asks for the newest entry of the unit. Never rejects. */
export async function readJournalTail(selection: JournalSelection, signal: AbortSignal): Promise<JournalTail> {
  const child = startJournal(selection, ['--lines=1'], signal);
  const parser = createExportParser(2 ** 20);
  let entry: JournalEntry | null = null;
  try {
    for (let chunk = await child.read(60_000); chunk !== 'end'; chunk = await child.read(60_000)) {
      if (chunk !== 'idle') entry = parser.push(chunk).at(-1) ?? entry;
    }
  } catch (error) {
    child.kill();
    await child.ended;
    return { entry: null, ending: failedEnding(error instanceof Error ? error.message : String(error)) };
  }
  return { entry, ending: await child.ended };
}

/** Why journalctl ended, with what to do about it where that is known. */
export function explainEnding(selection: JournalSelection, ending: JournalEnding): string {
  const told = describeEnding(selection.command ?? 'journalctl', ending);
  return /permission/i.test(ending.complaint) ? `${told} (${JOURNAL_ACCESS_WISH})` : told;
}

/**
 * The first file or folder of the journal that this process may not read, or null. journalctl leaves such files out and
 * ends with 0 if it could open others, and no output tells that from a journal without an entry.
 */
export async function findUnreadable(directory: string | null): Promise<string | null> {
  for (const root of rootsOf(directory)) {
    const found = await unreadableUnder(root, 1);
    if (found !== null) return found;
  }
  return null;
}

/** Tells one set of journal folders from another that took its place, which journalctl itself never notices. */
export async function identifyFolders(directory: string | null): Promise<string> {
  const found = rootsOf(directory).map((root) =>
    stat(root).then(
      ({ dev, ino }) => `${dev}:${ino}`,
      () => '-',
    ),
  );
  return (await Promise.all(found)).join(' ');
}

function rootsOf(directory: string | null): readonly string[] {
  return directory === null ? ['/var/log/journal', '/run/log/journal'] : [directory];
}

async function unreadableUnder(folder: string, depth: number): Promise<string | null> {
  let items: Dirent[];
  try {
    items = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    return isDenied(error) ? folder : null;
  }
  for (const item of items) {
    const path = join(folder, item.name);
    if (item.isDirectory() && depth > 0) {
      const found = await unreadableUnder(path, depth - 1);
      if (found !== null) return found;
    } else if (/\.journal~?$/.test(item.name) && (await refusesReading(path))) return path;
  }
  return null;
}

async function refusesReading(path: string): Promise<boolean> {
  try {
    await (await open(path)).close();
    return false;
  } catch (error) {
    return isDenied(error);
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}
