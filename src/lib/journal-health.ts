import { setTimeout as sleep } from 'node:timers/promises';
import { findUnreadable, identifyFolders, JOURNAL_ACCESS_WISH } from './journal-probe.ts';

/** Whether a journal can be read at the moment, and the looks around that journalctl itself does not take. */
export interface JournalHealth {
  /** Tells a problem, or with null its end, once. */
  report(problem: string | null): void;
  /** True if a part of the journal may not be read; false, and the problem is over, if all of it may. */
  reportUnreadable(): Promise<boolean>;
  /**
   * To be asked from time to time while no entry comes. True: a child started now would see more. `folders` are those of
   * the child (`identifyFolders`), `proven` is whether it was asked before or has given an entry.
   */
  hasMoved(folders: string, proven: boolean): Promise<boolean>;
  /** Waits before the next child, `ms` milliseconds, or (true) only until the folders change. An abort ends it. */
  wait(ms: number, signal: AbortSignal): Promise<boolean>;
}

/** The health of the journal in `directory` (null: of this machine). Nothing is wrong with it at first. */
export function createJournalHealth(
  directory: string | null,
  onProblem: (problem: string | null) => void,
): JournalHealth {
  let told: string | null = null;

  function report(problem: string | null): void {
    if (problem === told) return;
    told = problem;
    onProblem(problem);
  }

  async function reportUnreadable(): Promise<boolean> {
    const path = await findUnreadable(directory);
    report(path === null ? null : `${path} cannot be read (${JOURNAL_ACCESS_WISH})`);
    return path !== null;
  }

  // journalctl notices neither that its folders were replaced, nor that /var/log/journal was made while it looked at
  // /run/log/journal only, nor that it may now read a file.
  async function hasMoved(folders: string, proven: boolean): Promise<boolean> {
    if ((await identifyFolders(directory)) !== folders) return true;
    if (!proven) await reportUnreadable();
    else if (told !== null) return (await findUnreadable(directory)) === null;
    return false;
  }

  async function wait(ms: number, signal: AbortSignal): Promise<boolean> {
    const before = await identifyFolders(directory);
    for (let left = ms; left > 0 && !signal.aborted; left -= LOOK_MS) {
      // Rejects only when aborted, which the caller looks at.
      await sleep(Math.min(left, LOOK_MS), undefined, { signal }).catch(() => {});
      if ((await identifyFolders(directory)) !== before) return true;
    }
    return false;
  }

  return { report, reportUnreadable, hasMoved, wait };
}

const LOOK_MS = 500;
