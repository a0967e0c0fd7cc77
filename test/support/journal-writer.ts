import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { exportEntry } from './journal.ts';
import type { Random } from './random.ts';
import { program } from './services.ts';
import type { Story, StoryLine } from './story.ts';

/** A daemon whose output goes to journal files. */
export interface JournalWriter {
  /** Bytes of messages written so far. */
  readonly bytes: number;
  /** Writes some entries, one of another unit among them. */
  burst(lines: number): Promise<void>;
  /** The machine starts anew: another boot, another file, another invocation of reaction. */
  reboot(): void;
}

/** Writes what the story tells to journal files in a folder, which is made if need be. */
export function openJournalWriter(folder: string, story: Story, random: Random): JournalWriter {
  let boot = 1;
  let began: number | null = null;
  let bytes = 0;
  mkdirSync(folder, { recursive: true });

  function entryOf({ text, time, invocation }: StoryLine): string {
    began ??= time;
    bytes += Buffer.byteLength(text);
    return exportEntry(0, {
      __REALTIME_TIMESTAMP: String(time * 1_000),
      __MONOTONIC_TIMESTAMP: String((time - began) * 1_000 + 1),
      _BOOT_ID: String(boot).repeat(32),
      _SYSTEMD_INVOCATION_ID: invocation,
      MESSAGE: text,
    });
  }

  return {
    get bytes() {
      return bytes;
    },
    burst: async (lines) => {
      const told = Array.from({ length: lines }, () => story.tell());
      const entries = told.map(entryOf);
      const last = told.at(-1);
      if (last && random.chance(0.5)) {
        entries.push(entryOf({ ...last, text: '' }).replace('=reaction.service', '=another.service'));
      }
      await append(join(folder, `boot${boot}.journal`), entries.join(''));
    },
    reboot: () => {
      boot += 1;
      began = null;
      story.restart();
    },
  };
}

function append(file: string, entries: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program('systemd-journal-remote') ?? '', ['-o', file, '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`systemd-journal-remote ended with ${code}`)),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(entries);
  });
}
