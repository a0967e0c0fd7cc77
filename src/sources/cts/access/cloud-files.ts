import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { isObject, type JsonObject, objectAt } from '../../../lib/json-value.ts';
import { variableOf } from '../settings.ts';

/** The files that were found, and what they say. */
export interface CloudFiles {
  /** `clouds.yaml`; null if there is none. */
  readonly clouds: CloudFile | null;
  /** `secure.yaml`: secrets, kept apart. */
  readonly secure: CloudFile | null;
  /** `clouds-public.yaml`: what the profiles of providers say. */
  readonly publicClouds: CloudFile | null;
}

export interface CloudFile {
  readonly path: string;
  readonly content: JsonObject;
}

export interface CloudPlaces {
  readonly cloudsFile: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** Where files are looked for; the usual places, if left out. */
  readonly folders?: readonly string[];
}

/**
 * Finds and reads the files of openstacksdk. Of each kind the first one found is read and no other. Throws with the path
 * of a file that was named and is not there, or that cannot be read; never with what is in it.
 */
export async function readCloudFiles({ cloudsFile, env, folders }: CloudPlaces): Promise<CloudFiles> {
  const places = folders ?? ['.', join(homeOf(env), '.config', 'openstack'), '/etc/openstack'];
  const clouds = await readOne('clouds', places, cloudsFile ?? variableOf(env, 'OS_CLIENT_CONFIG_FILE'));
  const near = clouds === null ? places : [dirname(clouds.path), ...places];
  const secure = await readOne('secure', near, variableOf(env, 'OS_CLIENT_SECURE_FILE'));
  const publicClouds = await readOne('clouds-public', near, null);
  return { clouds, secure, publicClouds };
}

/** The folder of the user. */
export function homeOf(env: NodeJS.ProcessEnv): string {
  return variableOf(env, 'HOME') ?? homedir();
}

const SIZE_LIMIT = 1024 * 1024;
const ALIAS_LIMIT = 100;
const ENDINGS = ['yaml', 'yml', 'json'];

async function readOne(name: string, folders: readonly string[], named: string | null): Promise<CloudFile | null> {
  if (named !== null) {
    const found = await readFileAt(named);
    if (found === null) throw new Error(`cannot read ${named}: there is no such file`);
    return found;
  }
  for (const folder of folders) {
    for (const ending of ENDINGS) {
      const found = await readFileAt(join(folder, `${name}.${ending}`));
      if (found !== null) return found;
    }
  }
  return null;
}

async function readFileAt(path: string): Promise<CloudFile | null> {
  const found = await textOf(path);
  return found === null ? null : { path, content: contentOf(found, path) };
}

async function textOf(path: string): Promise<string | null> {
  try {
    const about = await stat(path);
    if (!about.isFile()) throw new Error('found no plain file');
    if (about.size > SIZE_LIMIT) throw new Error(`found ${about.size} bytes, wanted at most ${SIZE_LIMIT}`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new Error(`cannot read ${path}: ${code ?? message}`, { cause });
  }
}

/** All values are texts, as they are written: a password of digits may begin with a zero. */
function contentOf(text: string, path: string): JsonObject {
  const lines = new LineCounter();
  // An error that shows its line, or is kept as a cause, would show what is secret in it.
  const read = () => {
    try {
      const options = { schema: 'failsafe', merge: true, prettyErrors: false, logLevel: 'silent' } as const;
      const document = parseDocument(text, { ...options, lineCounter: lines });
      const [mistake] = document.errors;
      if (mistake) return `line ${lines.linePos(mistake.pos[0]).line}: ${mistake.code}`;
      return { value: document.toJS({ maxAliasCount: ALIAS_LIMIT }) as unknown };
    } catch {
      return 'it is nested too deep, or has too many aliases';
    }
  };
  const found = read();
  if (typeof found === 'string') throw new Error(`${path}: ${found}, wanted YAML or JSON`);
  if (found.value === null || found.value === '') return {};
  if (!isObject(found.value)) throw new Error(`${path}: found no map, wanted one with the key clouds`);
  for (const key of ['clouds', 'public-clouds']) {
    const inner = found.value[key];
    if (inner !== undefined && inner !== '' && objectAt(found.value, key) === null) {
      throw new Error(`${path}: ${key}: found no map, wanted one of clouds by name`);
    }
  }
  return found.value;
}
