import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import neo4j, { type Driver } from 'neo4j-driver';
import type { Test } from 'tap';
import { program } from './services.ts';
import { freePort } from './time-series.ts';
import { eventually } from './trailgauge.ts';

export interface Neo4jOptions {
  /** The password of `neo4j`; without it nobody has to sign in. */
  readonly password?: string;
  /** More lines of its neo4j.conf. */
  readonly settings?: readonly string[];
  /** Called with its folder before the first start. */
  readonly furnish?: (folder: string) => void;
  /** Options of Java. */
  readonly java?: readonly string[];
}

/** Longest wait for an answer of a server that starts, in milliseconds. */
const ANSWER_MS = 5_000;

/** For a server that lives for some seconds. */
const FAST_START = ['-XX:TieredStopAtLevel=1'];

/** A value as the driver gives it, of numbers that are no larger than JavaScript's. */
export type Found = Readonly<Record<string, unknown>>;

/** Neo4j Community, started for a test in a folder of its own. */
export interface Neo4j {
  readonly port: number;
  /** `bolt://…` of this server; it also answers to `neo4j://…`. */
  readonly uri: string;
  readonly folder: string;
  /** Runs a statement and gives its rows. */
  query(statement: string, parameters?: Record<string, unknown>): Promise<readonly Found[]>;
  /** Resolves when all that is committed by now is to be seen: it tells new counts before it shows what they are of. */
  settled(): Promise<void>;
  /** Deletes all nodes. */
  clear(): Promise<void>;
  /** Drops all constraints and indexes. */
  dropSchema(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Adds lines to its neo4j.conf, for the next start. */
  configure(...lines: readonly string[]): void;
  /** Starts it again, in the same folder and at the same port. */
  start(): Promise<void>;
  /** Lets it neither run nor end (SIGSTOP), until it is told to go on. */
  freeze(isFrozen: boolean): void;
}

/** Starts Neo4j; needs `neo4j`. It ends with the test. */
export async function startNeo4j(t: Test, options: Neo4jOptions = {}): Promise<Neo4j> {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  const port = await freePort();
  furnish(folder, port, options);
  const server = new Server(folder, port, options);
  t.teardown(async () => {
    await server.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  await server.start();
  if (options.password !== undefined) await server.setPassword(options.password);
  return {
    port,
    uri: `bolt://127.0.0.1:${port}`,
    folder,
    query: (statement, parameters) => server.query(statement, parameters),
    settled: () => server.settled(),
    clear: () => server.clear(),
    dropSchema: () => server.dropSchema(),
    kill: () => server.kill(),
    configure: (...lines) => appendFileSync(join(folder, 'conf', 'neo4j.conf'), `${lines.join('\n')}\n`),
    start: () => server.start(),
    freeze: (isFrozen) => server.freeze(isFrozen),
  };
}

function furnish(folder: string, port: number, { password, settings = [], furnish }: Neo4jOptions): void {
  mkdirSync(join(folder, 'conf'));
  const lines = [
    `server.bolt.listen_address=127.0.0.1:${port}`,
    `server.bolt.advertised_address=127.0.0.1:${port}`,
    `dbms.security.auth_enabled=${password !== undefined}`,
    'server.http.enabled=false',
    'server.https.enabled=false',
    'dbms.usage_report.enabled=false',
    'server.memory.pagecache.size=64m',
    'db.tx_log.preallocate=false',
    ...settings,
  ];
  writeFileSync(join(folder, 'conf', 'neo4j.conf'), `${lines.join('\n')}\n`);
  furnish?.(folder);
}

class Server {
  readonly #folder: string;
  readonly #port: number;
  readonly #java: readonly string[];
  readonly #isEncrypted: boolean;
  #auth = neo4j.auth.basic('neo4j', 'neo4j');
  #driver: Driver | null = null;
  #child: ChildProcess | null = null;

  constructor(folder: string, port: number, { java = FAST_START, settings = [] }: Neo4jOptions) {
    this.#folder = folder;
    this.#port = port;
    this.#java = java;
    this.#isEncrypted = settings.includes('server.bolt.tls_level=REQUIRED');
  }

  async start(): Promise<void> {
    const child = spawn(program('neo4j') ?? 'neo4j', [this.#folder, ...this.#java], { stdio: 'ignore' });
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
    await eventually(
      () => `Neo4j to answer:\n${this.#log()}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`Neo4j has ended:\n${this.#log()}`);
        return this.#answers();
      },
    );
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  freeze(isFrozen: boolean): void {
    this.#child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async end(): Promise<void> {
    await this.#driver?.close();
    await this.kill();
  }

  async setPassword(password: string): Promise<void> {
    await this.query('ALTER CURRENT USER SET PASSWORD FROM $old TO $new', { old: 'neo4j', new: password }, 'system');
    await this.#driver?.close();
    this.#driver = null;
    this.#auth = neo4j.auth.basic('neo4j', password);
    await eventually('the database to be there', () => this.#answers());
  }

  async query(
    statement: string,
    parameters: Record<string, unknown> = {},
    database?: string,
  ): Promise<readonly Found[]> {
    this.#driver ??= this.#open();
    const session = this.#driver.session(database === undefined ? {} : { database });
    try {
      const { records } = await session.run(statement, parameters);
      return records.map((record) => record.toObject());
    } finally {
      await session.close();
    }
  }

  async settled(): Promise<void> {
    this.#driver ??= this.#open();
    const session = this.#driver.session();
    try {
      // What a session reads is at least as new as what it wrote, and all that was committed before that.
      await session.run('CREATE (:Settled)');
      await session.run('MATCH (n:Settled) DELETE n');
      await session.run('RETURN 1');
    } finally {
      await session.close();
    }
  }

  async dropSchema(): Promise<void> {
    for (const { name } of await this.query('SHOW CONSTRAINTS YIELD name')) await this.query(`DROP CONSTRAINT ${name}`);
    for (const { name } of await this.query("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"))
      await this.query(`DROP INDEX ${name}`);
  }

  async clear(): Promise<void> {
    for (let left = true; left; ) {
      const [row] = await this.query('MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS deleted');
      left = row?.deleted !== 0;
    }
  }

  #open(): Driver {
    const scheme = this.#isEncrypted ? 'bolt+ssc' : 'bolt';
    return neo4j.driver(`${scheme}://127.0.0.1:${this.#port}`, this.#auth, {
      disableLosslessIntegers: true,
      telemetryDisabled: true,
    });
  }

  async #answers(): Promise<boolean> {
    const driver = this.#open();
    try {
      // It may take a connection before it can speak, and the driver would wait for ever.
      await Promise.race([
        driver.executeQuery('RETURN 1'),
        sleep(ANSWER_MS).then(() => Promise.reject(new Error('no answer'))),
      ]);
      return true;
    } catch (error) {
      // The first password has to be changed: it is up.
      return String((error as { readonly code?: unknown }).code).startsWith('Neo.ClientError.Security.');
    } finally {
      void driver.close();
    }
  }

  #log(): string {
    try {
      return readFileSync(join(this.#folder, 'logs', 'neo4j.log'), 'utf8').slice(-2_000);
    } catch {
      return '(no log)';
    }
  }
}
