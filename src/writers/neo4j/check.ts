import type { Driver, Session } from 'neo4j-driver';
import type { Finding } from '../../core/source.ts';
import type { WriterContext } from '../../core/writer.ts';
import type { Neo4jConfig } from './config.ts';
import { errorText } from './errors.ts';
import { linkOptions } from './graph-writer.ts';
import { openDriver, plainError } from './link.ts';
import { within } from './within.ts';

/** Longest wait for an answer. */
const LIMIT_MS = 20_000;

/** For `doctor`: the server, the database, and whether it may be written to. Nothing is stored. */
export async function* checkNeo4j(
  config: Neo4jConfig,
  context: WriterContext,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  let driver: Driver | null = null;
  let at = '';
  try {
    const options = linkOptions(config, context);
    at = `${options.uri}: `;
    driver = await openDriver(options, await options.readPassword());
    const session = driver.session(config.database === null ? {} : { database: config.database });
    const found = await within(serverOf(session), { ms: LIMIT_MS, signal }).catch(async (error: unknown) => {
      throw await plainError(options, error);
    });
    yield { ok: true, detail: `${at}${found.server}, database ${found.database}` };
    await within(tryWriting(session), { ms: LIMIT_MS, signal });
    yield { ok: true, detail: `database ${found.database}: it may be written to` };
  } catch (error) {
    yield { ok: false, detail: `${at}${explainedError(error)}` };
  } finally {
    driver?.close().catch(() => {});
  }
}

/** The message of a failure, and what to do about it, in one line. */
export function explainedError(error: unknown): string {
  const text = errorText(error);
  const hint = HINTS.find(([pattern]) => pattern.test(text))?.[1];
  return hint === undefined ? text : `${text}; ${hint}`;
}

/** By status codes of Neo4j, by what its driver says, and by what Node.js says. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/AuthenticationRateLimit/, 'too many wrong passwords: set user and password right, and wait a while'],
  [/CredentialsExpired/, 'sign in once with another program, such as cypher-shell, and change the first password'],
  [/Security\.Unauthorized/, 'set user and password right; where both are left out nobody signs in'],
  [/DatabaseNotFound|Database does not exist/, 'create the database, or set database to one that is there'],
  [
    /ReadOnly|NotALeader/,
    'this member or database may only be read: use an address with neo4j://, which finds the one that is written to',
  ],
  [
    /Security\.Forbidden/,
    'the user may not do this: grant it the role editor, or publisher and the right to make constraints',
  ],
  [/ECONNREFUSED/, 'is the server running, and is the port of uri right? Bolt is mostly at 7687'],
  [/ENOTFOUND|EAI_AGAIN/, 'is the host name of uri right, and can this machine look it up?'],
  [/EHOSTUNREACH|ENETUNREACH|no answer within|timed out/i, 'does a firewall or a wrong address keep the server away?'],
  [
    /before secure TLS connection|WRONG_VERSION_NUMBER|wrong version number|packet length too long/i,
    'the server speaks no TLS: leave +s out of uri, and ca',
  ],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|self.signed|unable to (?:verify|get)|certificate is not trusted/i,
    'set ca to the file with the certificate of its authority, or use +ssc in uri',
  ],
  [/ALTNAME_INVALID|altnames/, 'set uri to a name that its certificate has'],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate has expired/,
    'renew the certificate of the server, or set the clock',
  ],
  [
    /closed by server|ECONNRESET|socket hang up|HTTP/i,
    'does the server want TLS (+s in uri), or is this not its Bolt port?',
  ],
  [
    /No routing servers available|Could not perform discovery/,
    'the server names other addresses than this machine can reach: use bolt:// instead of neo4j://',
  ],
];

async function serverOf(session: Session): Promise<{ readonly server: string; readonly database: string }> {
  const { records, summary } = await session.run('CALL dbms.components() YIELD name, versions, edition');
  const [first] = records;
  const version = String((first?.get('versions') as readonly unknown[] | undefined)?.[0] ?? summary.server.agent ?? '');
  const edition = String(first?.get('edition') ?? 'of an unknown edition');
  return {
    server: `Neo4j ${version} ${edition}`.slice(0, 80),
    database: summary.database.name ?? 'of the user',
  };
}

/** Makes and deletes a node, and takes both back. */
async function tryWriting(session: Session): Promise<void> {
  const transaction = await session.beginTransaction();
  try {
    await transaction.run('CREATE (n) DELETE n');
  } finally {
    await transaction.rollback().catch(() => {});
  }
}
