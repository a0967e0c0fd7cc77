import fs, {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { tick } from './tail-follower.ts';

/** Called before each look at a file or folder that a reader takes; what it throws is what the reader gets. */
export type BeforeLook = () => void;

/**
 * Has something done before each system call of `node:fs/promises` by which a log is found and read: what another
 * process does lies between two of those. There are no hints of `fs.watch`. Ends with the test.
 */
export async function betweenLooks(t: Test, before: BeforeLook): Promise<void> {
  const handle = await promises.open(tmpdir());
  const handles = Object.getPrototypeOf(handle);
  await handle.close();
  const undo = [
    ...['open', 'stat', 'opendir'].map((name) => precede(promises, name, before)),
    ...['read', 'stat'].map((name) => precede(handles, name, before)),
    precede(fs, 'watch', () => {
      throw new Error('no hints');
    }),
  ];
  syncBuiltinESMExports();
  t.teardown(() => {
    for (const restore of undo) restore();
    syncBuiltinESMExports();
  });
}

function precede(owner: object, name: string, before: BeforeLook): () => void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') throw new Error(`found no function ${name}`);
  function preceded(this: unknown, ...args: unknown[]): unknown {
    before();
    return Reflect.apply(original as (...all: unknown[]) => unknown, this, args);
  }
  Reflect.set(owner, name, preceded);
  return () => Reflect.set(owner, name, original);
}

/** `create`: logrotate makes the new file; `rename`: the writer does, when it opens its log anew. */
export type Rotation = 'rename' | 'create' | 'copytruncate';

/** A program that logs, and the logrotate that takes the log away from under it, one system call at a time. */
export interface World {
  readonly path: string;
  /** The lines written so far. */
  readonly written: readonly string[];
  line(): void;
  /** A part of a line; the next line ends it. */
  part(): void;
  /** Begins to rotate. */
  rotate(kind: Rotation): void;
  /** Has the writer leave a log that was renamed. */
  reopen(): void;
  /** Does the next of what was begun, if there is something, and if its time has come. */
  act(): 'done' | 'waits' | 'nothing';
  remove(): void;
}

/** `readers` tells how many bytes a reader has got so far. */
export function newWorld(readBytes: () => number): World {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  const path = join(folder, 'app.log');
  const written: string[] = [];
  /** False: not yet. */
  const acts: (() => unknown)[] = [];
  let file = openSync(path, 'a');
  let part = '';
  let bytes = 0;
  let rotations = 0;
  let isAtPath = true;
  let isLate = false;

  function line(): void {
    const text = `${part === '' ? `line ${written.length} ` : ''}end\n`;
    writeSync(file, text);
    written.push(part + text);
    bytes += part.length + text.length;
    part = '';
  }

  function reopen(): void {
    if (isAtPath) return;
    if (part !== '') line();
    tick(path);
    closeSync(file);
    isLate = !existsSync(path);
    file = openSync(path, 'a');
    isAtPath = true;
  }

  function rotate(kind: Rotation): void {
    acts.push(reopen);
    acts.push(() => {
      // As with `notifempty`.
      if (fstatSync(file).size === 0 || isLate) line();
    });
    // One that comes late and is renamed within a moment is not told from other people's files.
    acts.push(() => !isLate || readBytes() >= bytes);
    acts.push(() => {
      isLate = false;
      if (kind === 'copytruncate' && part !== '') line();
      pause(path);
    });
    for (let n = rotations; n > 0; n--) acts.push(() => renameSync(`${path}.${n}`, `${path}.${n + 1}`));
    rotations += 1;
    if (kind === 'copytruncate') {
      // Seen whole: who looks at a copy in the making and knows nothing of its file cannot tell what it is.
      acts.push(() => copyFileSync(path, `${path}.1`));
      acts.push(() => truncateSync(path));
    } else {
      acts.push(() => {
        renameSync(path, `${path}.1`);
        if (kind === 'create') writeFileSync(path, '');
        isAtPath = false;
      });
    }
    acts.push(() => pause(path));
  }

  return {
    path,
    written,
    line,
    part: () => {
      const more = part === '' ? `part ${written.length} ` : 'more ';
      writeSync(file, more);
      part += more;
    },
    rotate,
    reopen,
    act: () => {
      const next = acts[0];
      if (!next) return 'nothing';
      if (next() === false) return 'waits';
      acts.shift();
      return 'done';
    },
    remove: () => {
      closeSync(file);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Positions tell times in whole milliseconds: rotations that are faster are not told apart. */
function pause(path: string): void {
  tick(path);
  const end = performance.now() + 3;
  while (performance.now() < end);
  tick(path);
}
