import { join } from 'node:path';
import type { Secret } from '../../../core/fields.ts';
import { readSecret } from '../../../lib/secrets.ts';
import { type CtsSettings, variableOf } from '../settings.ts';
import { homeOf, readCloudFiles } from './cloud-files.ts';
import { type CloudSaid, cloudOf, isBlank, type Said } from './clouds.ts';
import type { AccessKey } from './sign.ts';

/** How requests prove who sends them. */
export type SignInMethod =
  | { readonly kind: 'token'; readonly token: string }
  | ({ readonly kind: 'aksk'; readonly securityToken: string | null } & AccessKey)
  | { readonly kind: 'password'; readonly user: KeystoneUser; readonly password: string };

/** A user as Keystone wants it. */
export type KeystoneUser =
  | { readonly id: string }
  | { readonly name: string; readonly domain: { readonly id: string } | { readonly name: string } };

/** Who signs in, where, and for what. */
export interface Credentials {
  /** Ends in `/v3`; null where nothing needs it. */
  readonly authUrl: string | null;
  readonly method: SignInMethod;
  /** The id is what counts, if it is known. */
  readonly project: { readonly id: string | null; readonly name: string | null };
  readonly region: string | null;
  /** Which of its addresses a service is asked at. */
  readonly interface: string;
  readonly tls: CloudTls;
}

/** Files of certificates, by path. */
export interface CloudTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly insecure: boolean;
}

type From = Pick<CtsSettings, 'cloud' | 'cloudsFile' | 'auth' | 'region' | 'endpoint' | 'tls'>;

/**
 * Reads who signs in, now: from the section, then the secure file, the clouds file and its profile; variables fill what
 * is still blank. A token goes before an access key, and that before a password; where the section and the files have one
 * of them whole, those of the environment are left alone: `AWS_*` may be there for something else. Throws with what is
 * missing, or with the place that cannot be read; never with a secret.
 */
export async function readCredentials(
  settings: From,
  env: NodeJS.ProcessEnv,
  folders?: readonly string[],
): Promise<Credentials> {
  const section = await saidBySection(settings, env);
  const cloud = await saidByCloud({ settings, section, env, folders });
  const told = fillSlots(section, cloud.said);
  const said = fillSlots(told, saidByEnvironment(env, methodOf(told) !== null));
  const missing = missingOf(said, settings);
  if (missing.length > 0) {
    if (cloud.undecided !== null) throw new Error(cloud.undecided);
    const where = cloud.name === null ? '' : ` of the cloud ${cloud.name}`;
    const wish = 'wanted in auth, in a clouds file or as OS_* variables';
    throw new Error(`credentials${where}: missing ${missing.join(', ')}; ${wish}`);
  }
  return credentialsOf(said, settings, env);
}

/** Variables of the environment, by what they say. Of several for one the first that is set counts. */
const VARIABLES: readonly (readonly [key: string, variable: string])[] = [
  ['auth_url', 'OS_AUTH_URL'],
  ['user_id', 'OS_USER_ID'],
  ['username', 'OS_USERNAME'],
  ['password', 'OS_PASSWORD'],
  ['user_domain_name', 'OS_USER_DOMAIN_NAME'],
  ['domain_name', 'OS_DOMAIN_NAME'],
  ['project_name', 'OS_PROJECT_NAME'],
  ['project_id', 'OS_PROJECT_ID'],
  ['region_name', 'OS_REGION_NAME'],
  ['token', 'OS_TOKEN'],
  ['cacert', 'OS_CACERT'],
  ['ak', 'OS_ACCESS_KEY'],
  ['ak', 'AWS_ACCESS_KEY_ID'],
  ['sk', 'OS_SECRET_KEY'],
  ['sk', 'AWS_SECRET_ACCESS_KEY'],
  ['security_token', 'OS_SECURITY_TOKEN'],
];

/** Keys that say one thing in several ways: who says one of them has said it. */
const SLOTS: readonly (readonly string[])[] = [
  ['user_id', 'username'],
  ['user_domain_id', 'user_domain_name', 'domain_name'],
  ['project_id', 'project_name'],
  // A temporary key is of no use without its token, and no other is with it.
  ['sk', 'security_token'],
  ['cert', 'key'],
];

const METHOD_KEYS = new Set(['token', 'ak', 'sk', 'security_token', 'user_id', 'username', 'password']);

async function saidBySection({ auth, region, tls }: From, env: NodeJS.ProcessEnv): Promise<Said> {
  const secret = async (source: Secret | null) => (source === null ? null : await readSecret(source, env));
  const { project } = auth;
  const all: readonly (readonly [string, string | null])[] = [
    ['auth_url', auth.url],
    ['username', auth.username],
    ['user_id', auth.user_id],
    ['password', await secret(auth.password)],
    ['user_domain_name', auth.user_domain],
    ['user_domain_id', auth.user_domain_id],
    [project !== null && /^[0-9a-fA-F]{32}$/.test(project) ? 'project_id' : 'project_name', project],
    ['token', await secret(auth.token)],
    ['ak', auth.ak],
    ['sk', await secret(auth.sk)],
    ['security_token', await secret(auth.security_token)],
    ['region_name', region],
    ['cacert', tls.ca],
    ['cert', tls.cert],
    ['key', tls.key],
  ];
  return new Map(all.flatMap(([key, value]) => (value === null || isBlank(value) ? [] : [[key, value] as const])));
}

interface CloudQuestion {
  readonly settings: From;
  readonly section: Said;
  readonly env: NodeJS.ProcessEnv;
  readonly folders: readonly string[] | undefined;
}

/** A section that says all there is to say needs no file, unless it names one. */
async function saidByCloud({ settings, section, env, folders }: CloudQuestion): Promise<CloudSaid> {
  const { cloud, cloudsFile } = settings;
  if (cloud === null && cloudsFile === null && missingOf(section, settings).length === 0) {
    return { name: null, said: new Map(), undecided: null };
  }
  return cloudOf(cloud, await readCloudFiles({ cloudsFile, env, ...(folders && { folders }) }));
}

function saidByEnvironment(env: NodeJS.ProcessEnv, hasMethod: boolean): Said {
  const said = new Map<string, string>();
  for (const [key, variable] of VARIABLES) {
    const value = variable === 'OS_PASSWORD' ? (env[variable] ?? null) : variableOf(env, variable);
    if (value === null || isBlank(value) || said.has(key) || (hasMethod && METHOD_KEYS.has(key))) continue;
    said.set(key, value);
  }
  return said;
}

function fillSlots(above: Said, below: Said): Said {
  const taken = new Set(SLOTS.filter((slot) => slot.some((key) => above.has(key))).flat());
  return new Map([...[...below].filter(([key]) => !taken.has(key)), ...above]);
}

function methodOf(said: Said): SignInMethod['kind'] | null {
  const has = (...keys: readonly string[]) => keys.every((key) => said.has(key));
  const whole = new Set<SignInMethod['kind']>();
  if (has('token')) whole.add('token');
  if (has('ak', 'sk')) whole.add('aksk');
  if (has('password') && (has('username') || has('user_id'))) whole.add('password');
  const wanted = said.get('auth_type')?.replace(/^v3/, '') as SignInMethod['kind'] | undefined;
  if (wanted !== undefined && whole.has(wanted)) return wanted;
  return [...whole][0] ?? null;
}

function missingOf(said: Said, { endpoint }: From): readonly string[] {
  const method = methodOf(said);
  const hasProject = said.has('project_id') || said.has('project_name');
  const needsUrl = method === 'password' || method === null || endpoint === null || !said.has('project_id');
  const hasDomain = SLOTS[1]!.some((key) => said.has(key));
  return [
    ...(needsUrl && !said.has('auth_url') ? ['auth_url'] : []),
    ...(method === null ? [missingMethod(said)] : []),
    ...(method === 'password' && said.has('username') && !hasDomain ? ['user_domain_name'] : []),
    ...(hasProject ? [] : ['a project']),
    ...(said.get('auth_url')?.includes('{region_name}') && regionOf(said) === null ? ['a region'] : []),
  ];
}

function missingMethod(said: Said): string {
  if (said.has('ak')) return 'sk';
  if (said.has('sk')) return 'ak';
  if (said.has('password')) return 'username';
  const isUser = said.has('username') || said.has('user_id');
  return isUser ? 'a password or ak and sk' : 'username and a password, or ak and sk';
}

function regionOf(said: Said): string | null {
  return said.get('region_name') ?? regionOfProject(said.get('project_name') ?? null);
}

/** The region that the name of a project begins with: `eu-de_shop` is in `eu-de`. */
export function regionOfProject(name: string | null): string | null {
  const region = name?.split('_')[0] ?? '';
  return region === '' ? null : region;
}

function credentialsOf(said: Said, settings: From, env: NodeJS.ProcessEnv): Credentials {
  const of = (key: string) => said.get(key) ?? null;
  const path = (key: string) => of(key)?.replace(/^~(?=\/)/, () => join(homeOf(env))) ?? null;
  const isUnverified = /^(?:false|no|off|0|n|f)$/i.test(of('verify') ?? '') && settings.tls.ca === null;
  return {
    authUrl: said.has('auth_url') ? authUrlOf(said) : null,
    method: signInOf(said),
    project: { id: of('project_id'), name: of('project_name') },
    region: regionOf(said),
    interface: (of('interface') ?? 'public').replace(/URL$/, ''),
    tls: {
      ca: path('cacert'),
      cert: path('cert'),
      key: path('key'),
      insecure: settings.tls.insecure || isUnverified,
    },
  };
}

function authUrlOf(said: Said): string {
  const text = (said.get('auth_url') ?? '').trim().replaceAll('{region_name}', () => regionOf(said) ?? '');
  const wish = 'wanted an address such as https://iam.eu-de.otc.t-systems.com/v3';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new Error(`auth_url: found ${text.includes('@') ? 'another' : JSON.stringify(text.slice(0, 200))}, ${wish}`);
  }
  if (url.username !== '' || url.password !== '') throw new Error(`auth_url: found an address with a user, ${wish}`);
  const bare = text.replace(/\/{1,5}$/, '').replace(/\/v2\.0$/, '');
  return bare.endsWith('/v3') ? bare : `${bare}/v3`;
}

function signInOf(said: Said): SignInMethod {
  const of = (key: string) => said.get(key) ?? '';
  switch (methodOf(said)) {
    case 'token':
      return { kind: 'token', token: of('token') };
    case 'aksk':
      return { kind: 'aksk', ak: of('ak'), sk: of('sk'), securityToken: said.get('security_token') ?? null };
    default:
      return { kind: 'password', user: userOf(said), password: of('password') };
  }
}

function userOf(said: Said): KeystoneUser {
  const id = said.get('user_id');
  if (id !== undefined) return { id };
  const domainId = said.get('user_domain_id');
  const domainName = said.get('user_domain_name') ?? said.get('domain_name') ?? '';
  return {
    name: said.get('username') ?? '',
    domain: domainId === undefined ? { name: domainName } : { id: domainId },
  };
}
