import type { HttpAnswer } from '../../../lib/http.ts';
import { isObject, type JsonObject, objectAt, parseJson, textAt } from '../../../lib/json-value.ts';
import { parseRfc3339 } from '../../../lib/time.ts';
import { type Catalog, catalogIn } from './catalog.ts';
import type { Credentials, SignInMethod } from './credentials.ts';

/** A project, as far as it is known. */
export interface Project {
  readonly id: string;
  readonly name: string | null;
  readonly domainId: string | null;
}

/** What comes of a sign-in with a password. */
export interface Granted {
  readonly token: string;
  /** When a new one is to be asked for: after 80 % of its life; never, if that is not told. */
  readonly renewAt: number;
  readonly expiresAt: number | null;
  /** Null if the token is for no project. */
  readonly project: Project | null;
  readonly catalog: Catalog;
}

/** The body of a token request of Keystone v3. */
export function tokenRequest(
  { user, password }: Extract<SignInMethod, { readonly kind: 'password' }>,
  { id, name }: Credentials['project'],
): string {
  const identity = { methods: ['password'], password: { user: { ...user, password } } };
  const project = id === null ? { name } : { id };
  return JSON.stringify({ auth: { identity, scope: { project } } });
}

/** Reads the answer to a token request; or says what is wrong with it. `now` is the service's clock. */
export function grantedBy({ headers, text }: Pick<HttpAnswer, 'headers' | 'text'>, now: number): Granted | string {
  const header = headers['x-subject-token'];
  const token = typeof header === 'string' ? header.trim() : '';
  if (!/^[\x21-\x7e]+$/.test(token)) return 'found no header X-Subject-Token';
  const body = parseJson(text);
  const about = isObject(body) ? objectAt(body, 'token') : null;
  if (!about) return 'found a body without token';
  const expiresAt = parseRfc3339(textAt(about, 'expires_at'));
  const issuedAt = parseRfc3339(textAt(about, 'issued_at')) ?? now;
  return {
    token,
    renewAt: expiresAt === null ? Number.POSITIVE_INFINITY : issuedAt + RENEW_AFTER * Math.max(0, expiresAt - issuedAt),
    expiresAt,
    project: projectIn(objectAt(about, 'project')),
    catalog: catalogIn(about),
  };
}

/** The project of exactly this name, from an answer to the question for it; null if there is none, text if unreadable. */
export function projectNamed(name: string, text: string): Project | null | string {
  const body = parseJson(text);
  const projects = isObject(body) ? body.projects : null;
  if (!Array.isArray(projects)) return 'found a body without a list of projects';
  const found = projects.find(
    (one): one is JsonObject => isObject(one) && one.name === name && textAt(one, 'id') !== '',
  );
  return found ? projectIn(found) : null;
}

/** A token is renewed after this part of its life. */
const RENEW_AFTER = 0.8;

function projectIn(project: JsonObject | null): Project | null {
  const id = textAt(project, 'id');
  if (id === '') return null;
  const domainId = textAt(project, 'domain_id') || textAt(objectAt(project, 'domain'), 'id');
  return { id, name: textAt(project, 'name') || null, domainId: domainId || null };
}
