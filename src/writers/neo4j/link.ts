import { setTimeout as delay } from 'node:timers/promises';
import type { Config, Driver, Session } from 'neo4j-driver';
import { readVersion } from '../../core/version.ts';
import { readCertificates } from '../connection.ts';
import { codeOf } from './errors.ts';
import { knock } from './knock.ts';
import { within } from './within.ts';

/** What a connection depends on. */
export interface LinkOptions {
  readonly uri: string;
  readonly user: string;
  readonly database: string | null;
  /** File of certificates (PEM) that are trusted instead of the usual ones. */
  readonly ca: string | null;
  /** Longest time of a transaction. */
  readonly timeoutMs: number;
  /** Null: nobody signs in. */
  readonly readPassword: () => Promise<string | null>;
  readonly env: NodeJS.ProcessEnv;
}

/** Called with each new connection, before it is used. */
export type Begin = (session: Session) => Promise<void>;

/** A server that is connected when it is first needed, and again after it was forgotten. */
export interface Link {
  /** Connects, unless that is done. Throws what the driver says, or why secret or certificate cannot be read. */
  connect(): Promise<Connected>;
  /** What was not settled may be settled by a new connection, password or certificate. */
  forget(): void;
  close(): Promise<void>;
}

export interface Connected {
  readonly password: string | null;
  session(): Session;
}

/** Longest wait for a connection and what it begins with: constraints on a large graph take their time. */
const BEGIN_MS = 600_000;

/** Nothing is loaded, read or asked before it is needed. `beginMs`: the longest wait for a connection and its begin. */
export function openLink(options: LinkOptions, begin: Begin, beginMs: number = BEGIN_MS): Link {
  const ending = new AbortController();
  const { signal } = ending;
  let known: { readonly driver: Driver; readonly connected: Connected } | null = null;
  let loading: Promise<Connected> | null = null;
  const forget = () => {
    const old = known;
    known = null;
    if (old) discard(old.driver);
  };
  const connect = async (): Promise<Connected> => {
    if (known) return known.connected;
    const password = await options.readPassword();
    await knock(options.uri, { isEncrypted: isEncrypted(options), signal });
    const driver = await openDriver(options, password);
    try {
      const beginning = beginWith(driver, { ...options, begin }, password);
      const connected = await within(beginning, { ms: beginMs, signal });
      known = { driver, connected };
      return connected;
    } catch (error) {
      discard(driver);
      throw await plainError(options, error);
    }
  };
  return {
    connect: () => {
      loading ??= connect().finally(() => {
        loading = null;
      });
      return loading;
    },
    forget,
    close: async () => {
      ending.abort();
      const closing = async () => {
        await loading;
        await known?.driver.close();
      };
      await Promise.race([closing().catch(() => {}), delay(CLOSING_MS, undefined, { ref: false })]);
      known = null;
    },
  };
}

/** A server that does not answer is not waited for. */
const CLOSING_MS = 3_000;

/** Nobody waits for it: a server that does not answer would hold it up. */
function discard(driver: Driver): void {
  driver.close().catch(() => {});
}

/** Runs what the link begins with, and takes the name of the database from it, so that no session has to ask for it. */
async function beginWith(
  driver: Driver,
  { begin, database }: LinkOptions & { readonly begin: Begin },
  password: string | null,
): Promise<Connected> {
  const named = database ?? (await homeDatabase(driver));
  const session = () => driver.session(named === null ? {} : { database: named });
  const first = session();
  try {
    await begin(first);
  } finally {
    await first.close();
  }
  return { password, session };
}

async function homeDatabase(driver: Driver): Promise<string | null> {
  const session = driver.session();
  try {
    return (await session.run('RETURN 1')).summary.database.name ?? null;
  } finally {
    await session.close();
  }
}

/** A driver for this server, of which nothing was asked yet. */
export async function openDriver(options: LinkOptions, password: string | null): Promise<Driver> {
  const { ca, uri, user, env } = options;
  // The driver would not say which file it is that it cannot use.
  if (ca !== null) await readCertificates(ca);
  const { default: neo4j } = await import('neo4j-driver');
  const auth =
    password === null ? { scheme: 'none', principal: '', credentials: '' } : neo4j.auth.basic(user, password);
  const { name, version } = readVersion(env);
  const config: Config = {
    maxConnectionPoolSize: 4,
    connectionTimeout: 10_000,
    connectionAcquisitionTimeout: 15_000,
    maxTransactionRetryTime: 10_000,
    disableLosslessIntegers: true,
    telemetryDisabled: true,
    userAgent: `${name}/${version}`,
    notificationFilter: { minimumSeverityLevel: 'WARNING' },
    ...(ca !== null && {
      encrypted: 'ENCRYPTION_ON',
      trust: 'TRUST_CUSTOM_CA_SIGNED_CERTIFICATES',
      trustedCertificates: [ca],
    }),
  };
  // The driver wants to be told of encryption at one place alone.
  return neo4j.driver(ca === null ? uri : uri.replace(/^([a-z0-9]+)\+s:/i, '$1:'), auth, config);
}

/** Whether a server is spoken to by TLS. */
export function isEncrypted({ uri, ca }: Pick<LinkOptions, 'uri' | 'ca'>): boolean {
  return ca !== null || /^[a-z0-9]+\+s/i.test(uri);
}

/** With `neo4j://` an error tells of the lists of servers, not of what went wrong: this asks the server itself. */
export async function plainError(options: LinkOptions, error: unknown): Promise<unknown> {
  if (!/^neo4j/i.test(options.uri) || codeOf(error) !== 'ServiceUnavailable') return error;
  const direct = { ...options, uri: options.uri.replace(/^neo4j/i, 'bolt').replace(/\?.*/, '') };
  const driver = await openDriver(direct, null);
  try {
    await driver.getServerInfo();
    return error;
  } catch (cause) {
    // A server that answers at all is reached.
    return codeOf(cause).startsWith('Neo.') ? error : cause;
  } finally {
    await driver.close().catch(() => {});
  }
}
