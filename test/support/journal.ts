import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { program } from './services.ts';

/** A folder outside the repository that goes away with the test. */
export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One entry of reaction.service in export format, the `number`-th second of 2026. */
export function exportEntry(number: number, fields: Readonly<Record<string, string>> = {}): string {
  const lines = {
    __REALTIME_TIMESTAMP: String((1_767_225_600 + number) * 1e6),
    __MONOTONIC_TIMESTAMP: String(number * 1e6 + 1),
    _BOOT_ID: '1'.repeat(32),
    _SYSTEMD_UNIT: 'reaction.service',
    _SYSTEMD_INVOCATION_ID: 'a'.repeat(32),
    MESSAGE: `INFO a.b: match ["${number}"]`,
    ...fields,
  };
  return `${Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}\n`;
}

/** Entries `from` to `to - 1`. */
export function exportEntries(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => exportEntry(from + index)).join('');
}

/** Appends entries in export format to a journal file, which is made if need be. */
export function writeJournal(file: string, entries: string | Buffer): void {
  execFileSync(program('systemd-journal-remote') ?? '', ['-o', file, '-'], {
    input: entries,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** A program to run in place of journalctl; `"$@"` are its arguments. */
export function writeScript(file: string, body: string): string {
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}
