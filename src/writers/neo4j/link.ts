import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config, Driver, Session } from 'neo4j-driver';
import { readVersion } from '../../core/version.ts';
import { codeOf } from './errors.ts';

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

/** Nothing is loaded, read or asked before it is needed. */
export function openLink(options: LinkOptions, begin: Begin): Link {
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
    const driver = await openDriver(options, password);
    try {
      const connected = await beginWith(driver, { ...options, begin }, password);
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
  if (ca !== null) await checkCertificates(ca);
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

async function checkCertificates(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`ca: cannot read ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error(`ca: found no certificate in ${path}, wanted PEM`);
  }
}
