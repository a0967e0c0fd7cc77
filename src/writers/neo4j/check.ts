import type { Driver, Session } from 'neo4j-driver';
import type { Finding } from '../../core/source.ts';
import type { WriterContext } from '../../core/writer.ts';
import type { Neo4jConfig } from './config.ts';
import { errorText } from './errors.ts';
import { linkOptions } from './graph-writer.ts';
import { hinted } from './hints.ts';
import { knock } from './knock.ts';
import { isEncrypted, openDriver, plainError } from './link.ts';
import { within } from './within.ts';

/** Longest wait for an answer. */
const LIMIT_MS = 10_000;

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
    const password = await options.readPassword();
    await knock(options.uri, { isEncrypted: isEncrypted(options), signal });
    driver = await openDriver(options, password);
    const session = driver.session(config.database === null ? {} : { database: config.database });
    const found = await within(serverOf(session), { ms: LIMIT_MS, signal }).catch(async (error: unknown) => {
      throw signal.aborted ? error : await plainError(options, error);
    });
    yield { ok: true, detail: `${at}${found.server}, database ${found.database}` };
    await within(tryWriting(session), { ms: LIMIT_MS, signal });
    yield { ok: true, detail: `database ${found.database}: it may be written to` };
  } catch (error) {
    yield { ok: false, detail: `${at}${hinted(errorText(error))}` };
  } finally {
    driver?.close().catch(() => {});
  }
}

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
