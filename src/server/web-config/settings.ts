import { dirname, resolve } from 'node:path';
import { checkYaml, type Path } from './check.ts';
import { CIPHER_SUITES, type ClientAuthType, CURVES, goDurationMs, type TlsVersion } from './names.ts';
import { type Raw, schema } from './schema.ts';

/** What a web configuration file says, with defaults and absolute paths, before any other file is read. */
export interface WebSettings {
  readonly tls: TlsSettings | null;
  readonly headers: ReadonlyMap<string, string>;
  /** User names and their bcrypt hashes; with none, everybody may read. */
  readonly users: ReadonlyMap<string, string>;
  readonly rate: RateLimit | null;
  /** A line for each mistake; what has one is left out of all else. */
  readonly problems: readonly string[];
  /** `FILE:LINE: a.b.c: text`, for what is found wrong later. */
  problem(path: Path, text: string): string;
}

export interface TlsSettings {
  readonly cert: Pem;
  readonly key: Pem;
  readonly clientCa: Pem | null;
  readonly clientAuth: Exclude<ClientAuthType, 'RequireClientCert'>;
  readonly allowedNames: readonly string[] | null;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's lists; null is the default of Node.js. */
  readonly ciphers: string | null;
  readonly curves: string | null;
  readonly serverPrefers: boolean;
}

/** A PEM text in place, or in a file, and the key that gives it. */
export interface Pem {
  readonly from: string;
  readonly text: string | null;
  readonly file: string | null;
}

/** A bucket of `burst` requests, refilled with one each `intervalMs`. */
export interface RateLimit {
  readonly intervalMs: number;
  readonly burst: number;
}

type Report = (path: Path, text: string) => void;

/**
 * Parses a web configuration file of the Prometheus exporter-toolkit
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). Throws one `Error` with a
 * line for each mistake if nothing can be made of it; no line holds a key, a hash or a password.
 */
export function parseWebSettings(file: string, content: string): WebSettings {
  const { value, problems: first, problem } = checkYaml(file, content, schema);
  const problems = [...first];
  const report: Report = (path, text) => problems.push(problem(path, text));
  return {
    tls: tlsSettings(dirname(resolve(file)), value.tls_server_config, report),
    headers: given(value.http_server_config?.headers ?? {}),
    users: users(value.basic_auth_users, report),
    rate: rateLimit(value.rate_limit, report),
    problems,
    problem,
  };
}

function tlsSettings(folder: string, raw: Raw['tls_server_config'], tell: Report): TlsSettings | null {
  if (!raw || given(raw).size === 0) return null;
  let isSound = true;
  const report: Report = (path, text) => {
    isSound = false;
    tell(path, text);
  };
  const at = (key: string) => ['tls_server_config', key];

  function pem(key: 'cert' | 'key' | 'client_ca'): Pem | null {
    const [inPlace, file] = [raw?.[key] ?? null, raw?.[`${key}_file`] ?? null];
    if (inPlace !== null && file !== null) report(at(key), `wanted ${key} or ${key}_file, not both`);
    if (file !== null) return { from: `${key}_file`, text: null, file: resolve(folder, file) };
    return inPlace === null ? null : { from: key, text: inPlace, file: null };
  }

  const [cert, key, clientCa] = [pem('cert'), pem('key'), pem('client_ca')];
  if (cert === null) report(['tls_server_config'], 'wanted cert_file or cert');
  if (key === null) report(['tls_server_config'], 'wanted key_file or key');
  const clientAuth = raw.client_auth_type ?? 'NoClientCert';
  clientProblems(raw, clientCa, (key, text) => report(at(key), text));
  const [minVersion, maxVersion] = [raw.min_version ?? 'TLS12', raw.max_version ?? 'TLS13'];
  if (minVersion > maxVersion) report(at('max_version'), `found ${maxVersion}, less than min_version ${minVersion}`);
  const suites = raw.cipher_suites ?? [];
  if (maxVersion === 'TLS12' && suites.length > 0 && !suites.some((name) => name.startsWith('TLS_ECDHE'))) {
    report(at('cipher_suites'), 'found none for TLS 1.2, wanted at least one, as max_version is TLS12');
  }
  if (!isSound || cert === null || key === null) return null;
  return {
    cert,
    key,
    clientCa,
    clientAuth: clientAuth === 'RequireClientCert' ? 'RequireAnyClientCert' : clientAuth,
    allowedNames: raw.client_allowed_sans ?? null,
    minVersion: protocol(minVersion),
    maxVersion: protocol(maxVersion),
    ciphers: translate(suites, CIPHER_SUITES),
    curves: translate(raw.curve_preferences ?? [], CURVES),
    serverPrefers: raw.prefer_server_cipher_suites ?? true,
  };
}

/** Policies that would check less than one may think they do. */
function clientProblems(
  raw: NonNullable<Raw['tls_server_config']>,
  clientCa: Pem | null,
  report: (key: string, text: string) => void,
): void {
  const policy = raw.client_auth_type ?? 'NoClientCert';
  if (clientCa !== null && policy === 'NoClientCert') {
    report(clientCa.from, 'no client is asked for a certificate, wanted a client_auth_type');
  }
  // Go would trust every public authority then, of whom anybody gets a certificate.
  if (clientCa === null && policy.includes('Verify')) {
    report('client_auth_type', `${policy} wanted client_ca_file or client_ca`);
  }
  if (raw.client_allowed_sans && !policy.startsWith('Require')) {
    const wanted = 'RequireAndVerifyClientCert or RequireAnyClientCert';
    report('client_allowed_sans', `found client_auth_type ${policy}, wanted ${wanted}`);
  }
  if (raw.client_allowed_sans?.length === 0) report('client_allowed_sans', 'found an empty list, wanted a name');
}

function users(raw: unknown, report: Report): ReadonlyMap<string, string> {
  const section = 'basic_auth_users';
  if (raw === undefined || raw === null) return new Map();
  if (typeof raw !== 'object' || Array.isArray(raw)) {
    report([section], 'wanted a map of user names to bcrypt hashes');
    return new Map();
  }
  const found = new Map<string, string>();
  for (const [name, hash] of Object.entries(raw)) {
    if (name.includes(':')) report([section, name], 'a user name cannot hold a colon');
    if (typeof hash === 'string' && isBcryptHash(hash)) found.set(name, hash);
    else report([section, name], 'wanted a bcrypt hash, as "htpasswd -nBC 10 NAME" prints it');
  }
  return found;
}

/** Version, cost 4 to 31, 22 characters of salt and 31 of hash. */
function isBcryptHash(text: string): boolean {
  const cost = Number(/^\$2[aby]?\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(text)?.[1]);
  return cost >= 4 && cost <= 31;
}

function rateLimit(raw: Raw['rate_limit'], report: Report): RateLimit | null {
  if (!raw) return null;
  const intervalMs = goDurationMs(raw.interval ?? '0');
  const burst = /^[0-9]{1,9}$/.test(raw.burst ?? '0') ? Number(raw.burst ?? 0) : null;
  if (intervalMs === null) report(['rate_limit', 'interval'], 'wanted a duration such as 500ms, 1s or 1m30s');
  if (burst === null) report(['rate_limit', 'burst'], 'wanted a whole number');
  if (intervalMs === 0 || intervalMs === null || burst === null) return null;
  if (burst === 0) report(['rate_limit'], 'wanted a burst of 1 or more: with 0 every request is refused');
  return { intervalMs, burst };
}

/** The entries of a section that have a value. */
function given(section: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const entries = Object.entries(section).filter(([, value]) => value !== null && value !== undefined);
  return new Map(entries.map(([key, value]) => [key, String(value)]));
}

function protocol(version: TlsVersion): 'TLSv1.2' | 'TLSv1.3' {
  return version === 'TLS12' ? 'TLSv1.2' : 'TLSv1.3';
}

function translate(names: readonly string[], table: ReadonlyMap<string, string>): string | null {
  return names.length === 0 ? null : names.map((name) => table.get(name) ?? name).join(':');
}
