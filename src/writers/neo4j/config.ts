import * as z from 'zod';
import { choice, described, duration, option, type Secret } from '../../core/fields.ts';
import { writerSection } from '../../core/writer-config.ts';
import { durationMs } from '../../lib/duration.ts';
import { readSecret } from '../../lib/secrets.ts';
import { maybeSecret, maybeText, nullable, ruled } from '../fields.ts';

const EXAMPLE = 'neo4j://localhost:7687';
const WISH = `wanted an address such as ${EXAMPLE}, bolt://HOST:7687 or neo4j+s://HOST`;

const section = writerSection(
  'Neo4j 5: who did what to which resource, from where, as a graph.',
  {
    uri: option(graphAddress(), null, `Address of the server. Null: \`$NEO4J_URI\`, else \`${EXAMPLE}\`.`),
    user: option(maybeText(), null, 'User. Null: `$NEO4J_USER`, else `neo4j`.'),
    password: option(
      maybeSecret(),
      null,
      'Password of the user. Null: `$NEO4J_PASSWORD`; without either nobody signs in, as a server without authentication wants it.',
    ),
    database: option(maybeText(), null, "Database. Null: the user's home database, mostly `neo4j`."),
    model: option(
      choice('trails', 'cloudtrace'),
      'trails',
      '`trails`: all events, with sums; `cloudtrace`: CTS traces, with the labels that the Go program cloudtrace-exporter made.',
    ),
    retention: option(
      nullable(duration()),
      null,
      'Age at which `Event` nodes are deleted, at the start and every hour; null keeps them. All else stays.',
    ),
    ca: option(
      maybeText(),
      null,
      'File of certificates (PEM) to trust instead of the usual ones; the connection is then encrypted.',
    ),
  },
  { timeout: '60s' },
);

/** A validated `writers.neo4j`. */
export type Neo4jConfig = z.output<typeof section>;

/** `writers.neo4j`. */
export const neo4jConfig: z.ZodType<Neo4jConfig> = ruled<Neo4jConfig>(
  section,
  ({ retention, model }) =>
    retention !== null && model !== 'trails'
      ? ['retention', `found retention beside model ${model}, wanted it beside model trails`]
      : null,
  ({ retention }) =>
    retention !== null && durationMs(retention) <= 0
      ? ['retention', 'found no time at all, wanted one such as 90d']
      : null,
  ({ ca, uri }) =>
    ca !== null && uri !== null && /^[a-z0-9]+\+ssc:/i.test(uri)
      ? ['ca', 'found ca beside an address with +ssc, which trusts any certificate; wanted one of them']
      : null,
);

/** Where the graph is, and who writes, with what the environment says of it. */
export interface GraphTarget {
  readonly uri: string;
  readonly user: string;
}

/** Where the graph is. Throws if the environment says what cannot be. */
export function targetOf({ uri, user }: Neo4jConfig, env: NodeJS.ProcessEnv): GraphTarget {
  const place = uri ?? (env.NEO4J_URI || EXAMPLE);
  const problem = addressProblem(place);
  if (problem !== null) throw new Error(`$NEO4J_URI: ${problem}`);
  return { uri: place, user: user ?? (env.NEO4J_USER || 'neo4j') };
}

/** Reads the password; null if there is none. Throws with the place of a secret that cannot be read. */
export async function passwordOf(
  { password }: { readonly password: Secret | null },
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  return password === null ? env.NEO4J_PASSWORD || null : readSecret(password, env);
}

function graphAddress(): z.ZodType<string | null> {
  const schema = z.string({ error: WISH }).superRefine((value, context) => {
    const message = addressProblem(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
  return described(schema.nullable(), { kind: 'URI' });
}

/** What is wrong with an address, or null. The message holds no password. */
function addressProblem(value: string): string | null {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') {
    return `found ${scheme}://, which is for browsers, ${WISH}; the port is mostly 7687`;
  }
  if (scheme === undefined || !/^(?:neo4j|bolt)(?:\+s|\+ssc)?$/.test(scheme)) return `found another form, ${WISH}`;
  // A scheme that URL knows, as it does not look into others.
  const plain = `http://${value.slice(value.indexOf('://') + 3)}`;
  if (/\s/.test(value) || !URL.canParse(plain)) return `found an address that cannot be read, ${WISH}`;
  const { username, password, hostname, pathname } = new URL(plain);
  if (username !== '' || password !== '')
    return 'found user or password in the address, wanted them as user and password';
  if (hostname === '') return `found no host, ${WISH}`;
  return pathname === '/' ? null : 'found a path in the address, wanted the name of a database as database';
}
