import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { folder } from './cli.ts';

/** A disk of two megabytes; null, and the test is skipped, where none can be made. */
export function smallDisk(t: Test): string | null {
  const place = join(folder(t), 'disk');
  mkdirSync(place);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place], { encoding: 'utf8' });
  if (status !== 0) {
    t.pass('skipped', { skip: `a small file system cannot be mounted: ${stderr?.trim() || 'mount is missing'}` });
    return null;
  }
  t.teardown(() => spawnSync('umount', ['-l', place]));
  return place;
}

/** Takes what is left of a disk but for so many bytes; `remove` gives it back. */
export function fill(disk: string, left = 0): { remove(): void } {
  const path = join(disk, 'filler');
  const descriptor = openSync(path, 'w');
  const block = Buffer.alloc(4_096, 1);
  for (let free = freeBytes(disk) - left; free > 0; free -= block.length) writeSync(descriptor, block);
  closeSync(descriptor);
  return { remove: () => rmSync(path) };
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}
