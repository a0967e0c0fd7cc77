import { constants, type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parsePrinted, parseYaml, type Tree } from './documents.ts';
import { byteOrder, readSettings, type Settings } from './settings.ts';

const MOST_BYTES = 1024 * 1024;
const MOST_FILES = 1000;
const ENDINGS = new Set(['.json', '.jsonnet', '.yml', '.yaml']);

/**
 * Settings from reaction's own files, for when it cannot be asked: one file, or a directory whose files with a known
 * ending are merged in the order of their names (https://reaction.ppom.me/reference, "Configuration files"). JSONnet is
 * not read. A file that is broken, too large or unreadable gives a warning, and the others are read. Throws only if
 * there is nothing at `path`, or it may not be read.
 */
export async function readSettingsFiles(path: string): Promise<Settings> {
  const warnings: string[] = [];
  let merged: Tree = null;
  for (const file of await filesOf(path, warnings)) {
    try {
      const tree = parseFile(file, await readText(file));
      if (tree !== null && !(tree instanceof Map)) throw new Error('found no map, wanted one');
      merged = merge(merged, tree, { file, path: '', warnings });
    } catch (error) {
      warnings.push(`${file}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const settings = readSettings(merged);
  return { ...settings, warnings: [...warnings, ...settings.warnings] };
}

async function filesOf(path: string, warnings: string[]): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => ENDINGS.has(extname(name)) && !/^[._]/.test(name));
    names.sort(byteOrder);
    if (names.length > MOST_FILES) warnings.push(`${path}: found ${names.length} files, read the first ${MOST_FILES}`);
    return names.slice(0, MOST_FILES).map((name) => join(path, name));
  } catch (cause) {
    throw new Error(`cannot read ${path}: ${why(cause)}`, { cause });
  }
}

async function readText(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe would be waited for.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > MOST_BYTES) throw new Error(`it has ${found.size} bytes, wanted at most ${MOST_BYTES}`);
    const buffer = Buffer.alloc(MOST_BYTES);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, MOST_BYTES - length);
      length += bytesRead;
      if (bytesRead === 0 || length === MOST_BYTES) return buffer.toString('utf8', 0, length);
    }
  } catch (cause) {
    throw new Error(`cannot be read: ${why(cause)}`, { cause });
  } finally {
    await handle?.close();
  }
}

function parseFile(file: string, text: string): Tree {
  const ending = extname(file);
  if (ending === '.jsonnet') throw new Error('only reaction itself can read JSONnet; its streams are missing here');
  return ending === '.json' ? parsePrinted(text) : parseYaml(text);
}

interface From {
  readonly file: string;
  readonly path: string;
  readonly warnings: string[];
}

/** Maps are merged into one another, the commands of several files follow each other; of all else the first stays. */
function merge(first: Tree, second: Tree, from: From): Tree {
  if (first === null || second === null) return first ?? second;
  if (first instanceof Map && second instanceof Map) {
    const both = new Map<string, Tree>(first);
    for (const [key, value] of second) {
      const path = from.path === '' ? key : `${from.path}.${key}`;
      both.set(key, merge(both.get(key) ?? null, value, { ...from, path }));
    }
    return both;
  }
  const areCommands = from.path === 'start' || from.path === 'stop';
  if (areCommands && Array.isArray(first) && Array.isArray(second)) return [...first, ...second];
  if (!isDeepStrictEqual(first, second)) {
    from.warnings.push(`${from.file}: ${from.path} was given by an earlier file already, which stays`);
  }
  return first;
}

function why(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file or directory';
  if (code === 'EACCES') return 'permission denied';
  return cause.message;
}
