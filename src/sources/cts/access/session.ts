import type { HttpAnswer } from '../../../lib/http.ts';
import type { CtsSettings } from '../settings.ts';
import { baseOf, type Catalog, catalogOf, traceEndpoint } from './catalog.ts';
import type { Place } from './client.ts';
import type { ServiceClock } from './clock.ts';
import { type Credentials, readCredentials, regionOfProject } from './credentials.ts';
import { again, commonFailure, done, type Failure, hold, passwordFailure, shownAnswer, type Tried } from './failure.ts';
import { grantedBy, type Project, projectNamed, tokenRequest } from './keystone.ts';
import type { Proof, Prover } from './proof.ts';
import type { Asking, Transport } from './transport.ts';

/** Somebody is signed in. */
export interface Session {
  readonly credentials: Credentials;
  readonly proof: Proof;
  readonly place: Place;
  /** By the service's clock; infinite for what has no known end. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

export interface SignInOptions {
  readonly settings: CtsSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: ServiceClock;
  readonly transport: Transport;
  readonly prover: Prover;
  readonly onTokenExpiry: (time: number) => void;
}

/** Who signs in, read now; or why that cannot be told. */
export async function tryCredentials({ settings, env }: SignInOptions): Promise<Tried<Credentials>> {
  return readCredentials(settings, env).then(done, (error: Error) => hold(error.message));
}

/**
 * Signs in: asks for a token with a password; with an access key or a fixed token finds out what such an answer would
 * have told. What is known of the place already is not asked for again.
 */
export async function signIn(
  credentials: Credentials,
  known: Place | null,
  options: SignInOptions,
  signal: AbortSignal,
): Promise<Tried<Session>> {
  const { method } = credentials;
  if (method.kind === 'password') return withPassword({ credentials, method, known, options, signal });
  const proof: Proof =
    method.kind === 'aksk' ? { kind: 'key', key: method, projectId: null } : { kind: 'token', token: method.token };
  const located = known === null ? await locate({ credentials, proof, options, signal }) : done(known);
  if (!located.ok) return located;
  const place = located.value;
  const own: Proof = proof.kind === 'key' ? { ...proof, projectId: place.projectId } : proof;
  const never = Number.POSITIVE_INFINITY;
  return done({ credentials, proof: own, place, renewAt: never, expiresAt: never });
}

interface PasswordSignIn {
  readonly credentials: Credentials;
  readonly method: Extract<Credentials['method'], { readonly kind: 'password' }>;
  readonly known: Place | null;
  readonly options: SignInOptions;
  readonly signal: AbortSignal;
}

async function withPassword(asked: PasswordSignIn): Promise<Tried<Session>> {
  const { credentials, method, known, options, signal } = asked;
  const { transport, clock } = options;
  const asking: Asking = {
    operation: 'auth_token',
    method: 'POST',
    url: `${credentials.authUrl}/auth/tokens`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: tokenRequest(method, credentials.project),
  };
  const tried = await transport.send(asking, credentials.tls, signal);
  if (!tried.ok) return tried;
  const answer = tried.value;
  if (answer.status !== 201 && answer.status !== 200) return tokenFailure(answer, credentials, clock);
  const granted = grantedBy(answer, clock.now());
  if (typeof granted === 'string') return again(`${shownAnswer('auth_token', answer)}: ${granted}`);
  const { token, renewAt, expiresAt, project, catalog } = granted;
  if (!project) return hold(`${shownAnswer('auth_token', answer)}: the token is for no project`);
  if (expiresAt !== null) options.onTokenExpiry(expiresAt);
  const located = known === null ? placeOf({ credentials, project, catalog, settings: options.settings }) : done(known);
  if (!located.ok) return located;
  return done({
    credentials,
    proof: { kind: 'token', token },
    place: located.value,
    renewAt,
    expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
  });
}

function tokenFailure(answer: HttpAnswer, { project }: Credentials, clock: ServiceClock): Failure {
  const common = commonFailure('auth_token', answer, clock.now());
  return common ?? passwordFailure(answer, project.name ?? project.id ?? '');
}

interface Locating {
  readonly credentials: Credentials;
  readonly proof: Proof;
  readonly options: SignInOptions;
  readonly signal: AbortSignal;
}

/** Finds project and service where no token request tells them. */
async function locate(locating: Locating): Promise<Tried<Place>> {
  const { credentials, options, signal } = locating;
  const { settings, transport } = options;
  const { id, name } = credentials.project;
  const project = id === null ? await findProject(name ?? '', locating) : done({ id, name, domainId: null });
  if (!project.ok) return project;
  const catalog = settings.endpoint === null ? await findCatalog(locating) : done([]);
  if (!catalog.ok) return catalog;
  const place = placeOf({ credentials, project: project.value, catalog: catalog.value, settings });
  // Nobody was asked yet, and so nobody told the time, by which windows begin and requests are signed.
  if (place.ok && id !== null && settings.endpoint !== null) {
    await transport.send({ operation: null, method: 'GET', url: `${place.value.base}/` }, credentials.tls, signal);
  }
  return place;
}

async function findProject(name: string, { credentials, proof, options, signal }: Locating): Promise<Tried<Project>> {
  const url = `${credentials.authUrl}/projects`;
  const asking: Asking = { operation: 'list_projects', method: 'GET', url, query: [['name', name]] };
  const tried = await options.prover.ask(asking, proof, credentials, signal);
  if (!tried.ok) return tried;
  const found = projectNamed(name, tried.value.text);
  const shown = shownAnswer('list_projects', tried.value);
  if (typeof found === 'string') return again(`${shown}: ${found}`);
  return found ? done(found) : hold(`${shown}: the project ${name} is not known, or not open to the user`);
}

async function findCatalog({ credentials, proof, options, signal }: Locating): Promise<Tried<Catalog>> {
  const asking: Asking = { operation: 'catalog', method: 'GET', url: `${credentials.authUrl}/auth/catalog` };
  const tried = await options.prover.ask(asking, proof, credentials, signal);
  if (!tried.ok) return tried;
  const catalog = catalogOf(tried.value.text);
  return catalog ? done(catalog) : again(`${shownAnswer('catalog', tried.value)}: found a body without catalog`);
}

interface Placing {
  readonly credentials: Credentials;
  readonly project: Project;
  readonly catalog: Catalog;
  readonly settings: CtsSettings;
}

function placeOf({ credentials, project, catalog, settings }: Placing): Tried<Place> {
  const name = project.name ?? credentials.project.name;
  const region = credentials.region ?? regionOfProject(name);
  const placed = (address: string, found: string): Tried<Place> => {
    const base = baseOf(address);
    const origin = `${base}/v2.0/${project.id}/`;
    return done({ base, region: found, projectId: project.id, projectName: name, domainId: project.domainId, origin });
  };
  if (settings.endpoint !== null) return placed(settings.endpoint, region ?? '');
  try {
    const endpoint = traceEndpoint(catalog, { interface: credentials.interface, region });
    return placed(endpoint.url, region ?? (endpoint.region === '*' ? '' : endpoint.region));
  } catch (error) {
    return hold((error as Error).message);
  }
}
