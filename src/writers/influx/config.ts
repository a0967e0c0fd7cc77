import type { z } from 'zod';
import { choice, flag, option } from '../../core/fields.ts';
import { writerSection } from '../../core/writer-config.ts';
import { readSecret } from '../../lib/secrets.ts';
import { address, maybeSecret, maybeText, ruled } from '../fields.ts';
import type { InfluxSecret, InfluxTarget } from './request.ts';

const EXAMPLE = 'http://localhost:8086';

const section = writerSection('InfluxDB 1, 2 and 3, VictoriaMetrics: one point for each event.', {
  url: option(
    address({ example: EXAMPLE, endpoint: '/write' }),
    null,
    'Address of the server; a path goes before that of its end point.',
  ),
  token: option(maybeSecret(), null, 'Token that may write to the bucket.'),
  org: option(maybeText(), null, 'Organization of the bucket; InfluxDB 2 wants one.'),
  bucket: option(maybeText(), null, 'Bucket, by the API of version 2; any name will do for VictoriaMetrics.'),
  database: option(maybeText(), null, 'Database, by the API of version 1; instead of a bucket.'),
  username: option(maybeText(), null, 'User, instead of a token.'),
  password: option(maybeSecret(), null, 'Password of the user.'),
  points: option(
    choice('event', 'gateway'),
    'event',
    '`event`: measurement and tags as metric and labels; `gateway`: S3 records as the log gateway wrote them.',
  ),
  strings: option(
    flag(),
    false,
    'Also write `id`, `actor`, `target` and `client`, which VictoriaMetrics turns into series of zeros.',
  ),
  ca: option(maybeText(), null, 'File of certificates (PEM) to trust beside the usual ones.'),
});

/** A validated `writers.influx`. */
export type InfluxConfig = z.output<typeof section>;

/** `writers.influx`. */
export const influxConfig: z.ZodType<InfluxConfig> = ruled<InfluxConfig>(
  section,
  ({ bucket, database }) =>
    bucket !== null && database !== null
      ? ['database', 'found both database and bucket, wanted one of them: bucket for the API of version 2']
      : null,
  ({ url }) => (url === null ? ['url', `found no url, wanted an address such as ${EXAMPLE}`] : null),
  ({ bucket, database }) =>
    bucket === null && database === null ? ['bucket', 'found neither bucket nor database, wanted one of them'] : null,
  ({ org, database }) =>
    org !== null && database !== null ? ['org', 'found org beside database, wanted it beside bucket alone'] : null,
  ({ token, username }) =>
    token !== null && username !== null ? ['username', 'found both token and username, wanted one of them'] : null,
  ({ username, password }) => {
    if (username !== null && password === null) return ['password', 'found username without password, wanted both'];
    return username === null && password !== null ? ['username', 'found password without username, wanted both'] : null;
  },
);

/** Where points go. Throws if the configuration does not say. */
export function targetOf({ url, org, bucket, database }: InfluxConfig): InfluxTarget {
  if (url === null) throw new Error(`found no url, wanted an address such as ${EXAMPLE}`);
  return {
    url,
    ...(org !== null && { org }),
    ...(bucket !== null && { bucket }),
    ...(database !== null && { database }),
  };
}

/** Reads who writes. Throws with the place of a secret that cannot be read. */
export async function secretOf(
  { token, username, password }: InfluxConfig,
  env: NodeJS.ProcessEnv,
): Promise<InfluxSecret> {
  if (token !== null) return { token: await readSecret(token, env) };
  if (username === null || password === null) return {};
  return { username, password: await readSecret(password, env) };
}
