import { isObject, type JsonObject, objectAt } from '../../../lib/json-value.ts';
import { nearest } from '../../../lib/nearest.ts';
import type { CloudFile, CloudFiles } from './cloud-files.ts';

/** What a place says of how to sign in, by the names that clouds.yaml has: `auth_url`, `password`, `region_name`, … */
export type Said = ReadonlyMap<string, string>;

/** What the files say of a cloud. */
export interface CloudSaid {
  /** Null: no file, or none that has been chosen. */
  readonly name: string | null;
  readonly said: Said;
  /** Why nothing was chosen, though there is something to choose from. */
  readonly undecided: string | null;
}

/**
 * The cloud of this name; without a name the only one there is. The secure file goes over the clouds file, and a profile
 * fills what both leave blank. Throws if there is none of this name.
 */
export function cloudOf(name: string | null, files: CloudFiles): CloudSaid {
  const paths = [files.clouds, files.secure].flatMap((file) => (file ? [file.path] : []));
  const names = new Set([...namesOf(files.clouds), ...namesOf(files.secure)]);
  const chosen = name ?? (names.size === 1 ? [...names][0]! : null);
  if (chosen === null) {
    const undecided =
      names.size > 1
        ? `found the clouds ${list(names)} in ${paths.join(', ')}: set sources.cts.cloud or OS_CLOUD`
        : null;
    return { name: null, said: new Map(), undecided };
  }
  if (!names.has(chosen)) throw new Error(unknownCloud(chosen, names, paths));
  const own = fill(saidBy(entryOf(files.secure, 'clouds', chosen)), saidBy(entryOf(files.clouds, 'clouds', chosen)));
  return { name: chosen, said: fill(own, profileOf(own, files)), undecided: null };
}

/** What is blank above is taken from below. */
export function fill(above: Said, below: Said): Said {
  return new Map([...below, ...above]);
}

/** Whether a value says nothing: it is empty, or one that a template of clouds.yaml has for people to replace. */
export function isBlank(text: string): boolean {
  const plain = text.trim();
  return plain === '' || plain === '~' || plain === 'null' || /^<[A-Za-z0-9_ .-]{1,80}>$/.test(plain);
}

/** Profiles that clients of this cloud know without any file. */
const PROFILES: ReadonlyMap<string, Said> = new Map([
  ['otc', new Map([['auth_url', 'https://iam.{region_name}.otc.t-systems.com/v3']])],
  ['otc-swiss', new Map([['auth_url', 'https://iam-pub.{region_name}.sc.otc.t-systems.com/v3']])],
]);

const AUTH_KEYS = [
  'auth_url',
  'username',
  'user_id',
  'password',
  'user_domain_name',
  'user_domain_id',
  'domain_name',
  'project_name',
  'project_id',
  'token',
  'ak',
  'sk',
  'security_token',
];
const OTHER_KEYS = ['region_name', 'profile', 'cloud', 'interface', 'verify', 'cacert', 'cert', 'key', 'auth_type'];

function profileOf(own: Said, { publicClouds }: CloudFiles): Said {
  const name = own.get('profile') ?? own.get('cloud');
  if (name === undefined) return new Map();
  const known = entryOf(publicClouds, 'public-clouds', name);
  if (known !== null) return saidBy(known);
  const builtIn = PROFILES.get(name);
  if (builtIn) return builtIn;
  // A profile that has nothing to add does no harm.
  if (own.has('auth_url')) return new Map();
  throw new Error(`profile ${shown(name)}: not known; wanted otc, otc-swiss or one of clouds-public.yaml`);
}

function saidBy(entry: JsonObject | null): Said {
  const auth = objectAt(entry, 'auth');
  return new Map([...textsOf(entry, OTHER_KEYS), ...textsOf(auth, AUTH_KEYS)]);
}

function textsOf(from: JsonObject | null, keys: readonly string[]): readonly (readonly [string, string])[] {
  if (!from) return [];
  return keys.flatMap((key) => {
    const value = Object.hasOwn(from, key) ? from[key] : undefined;
    return typeof value === 'string' && !isBlank(value) ? [[key, value] as const] : [];
  });
}

function entryOf(file: CloudFile | null, list: string, name: string): JsonObject | null {
  const all = file ? objectAt(file.content, list) : null;
  const entry = all && Object.hasOwn(all, name) ? all[name] : null;
  return isObject(entry) ? entry : null;
}

function namesOf(file: CloudFile | null): readonly string[] {
  return Object.keys((file && objectAt(file.content, 'clouds')) ?? {});
}

function unknownCloud(name: string, names: ReadonlySet<string>, paths: readonly string[]): string {
  const where = paths.length === 0 ? 'no clouds file was found' : `not found in ${paths.join(', ')}`;
  const near = nearest(name, names);
  if (near !== undefined) return `cloud ${shown(name)}: ${where}; is it ${near}?`;
  return `cloud ${shown(name)}: ${where}${names.size > 0 ? `; there are ${list(names)}` : ''}`;
}

function list(names: ReadonlySet<string>): string {
  const most = 20;
  const first = [...names].slice(0, most).map((name) => name.slice(0, 80));
  return `${first.join(', ')}${names.size > most ? ', …' : ''}`;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
