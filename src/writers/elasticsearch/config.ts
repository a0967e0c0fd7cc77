import * as z from 'zod';
import type { Fault } from '../../core/config.ts';
import { choice, described, option, type Secret, text } from '../../core/fields.ts';
import { writerSection } from '../../core/writer-config.ts';
import { readSecret } from '../../lib/secrets.ts';
import { address, maybeSecret, maybeText, nullable, ruled, thrownFault } from '../fields.ts';
import type { Document } from './bulk.ts';
import type { BulkSecret } from './request.ts';

/** `auto`, none, or the body of one's own. */
export type TemplateConfig = 'auto' | false | Document;

const EXAMPLE = 'http://localhost:9200';

/** Index that is written to where neither the configuration nor `$ES_INDEX` names one. */
const DEFAULT_INDEX = 'trails';

const INDEX_WISH = 'wanted the name of an index: none of \\ / * ? " < > | , # or a space in it, no - _ + before it';

const section = writerSection('Elasticsearch, OpenSearch and what takes their bulk requests: one document per event.', {
  url: option(
    address({ example: EXAMPLE, endpoint: '/_bulk', bare: true }),
    null,
    'Address of the server; its path and query stay. Null: `$ES_HOST`.',
  ),
  index: option(nullable(indexName()), null, 'Index or data stream. Null: `$ES_INDEX`, else `trails`.'),
  username: option(maybeText(), null, 'User, for basic authentication.'),
  password: option(maybeSecret(), null, 'Password of the user.'),
  api_key: option(maybeSecret(), null, 'API key as the server shows it (base64), instead of a user.'),
  documents: option(
    choice('event', 'sink'),
    'event',
    '`event`: named after the Elastic Common Schema; `sink`: the record as the bulk sink sent it.',
  ),
  template: option<TemplateConfig>(
    template(),
    'auto',
    'Index template, put at the start if there is none: `auto`, `false` for none, or a map, which is put as it is.',
  ),
  ca: option(maybeText(), null, 'File of certificates (PEM) to trust beside the usual ones.'),
});

/** A validated `writers.elasticsearch`. */
export type ElasticsearchConfig = z.output<typeof section>;

/** `writers.elasticsearch`. */
export const elasticsearchConfig: z.ZodType<ElasticsearchConfig> = ruled<ElasticsearchConfig>(
  section,
  ({ username, api_key }) =>
    username !== null && api_key !== null ? ['api_key', 'found both username and api_key, wanted one of them'] : null,
  ({ username, password }) => {
    if (username !== null && password === null) return ['password', 'found username without password, wanted both'];
    return username === null && password !== null ? ['username', 'found password without username, wanted both'] : null;
  },
);

/** The server and the index, with what the environment says of them. */
export interface BulkTarget {
  readonly url: string;
  readonly index: string;
}

/** What is wrong where nothing says where documents go. */
export const NO_TARGET = `found neither url nor $ES_HOST, wanted an address such as ${EXAMPLE}`;

/** Whether anything says where documents go. */
export function hasTarget({ url }: ElasticsearchConfig, env: NodeJS.ProcessEnv): boolean {
  return Boolean(url ?? env.ES_HOST);
}

/** Where documents go. Throws if neither the configuration nor the environment says, or says what cannot be. */
export function targetOf({ url, index }: ElasticsearchConfig, env: NodeJS.ProcessEnv): BulkTarget {
  const place = url ?? env.ES_HOST;
  if (!place) throw new Error(NO_TARGET);
  if (!URL.canParse(/^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? place : `http://${place}`)) {
    throw new Error(`$ES_HOST: found no address, wanted one such as ${EXAMPLE}`);
  }
  const name = index ?? (env.ES_INDEX || DEFAULT_INDEX);
  if (!isIndexName(name)) throw new Error(`$ES_INDEX: found ${JSON.stringify(name.slice(0, 80))}, ${INDEX_WISH}`);
  return { url: place, index: name };
}

/** What the environment says wrongly; that it says nothing is told when it is needed. */
export function environmentFault(config: ElasticsearchConfig, env: NodeJS.ProcessEnv): Fault | null {
  return hasTarget(config, env) ? thrownFault(() => targetOf(config, env)) : null;
}

/** Reads who writes. Throws with the place of a secret that cannot be read. */
export async function secretOf(
  config: { readonly username: string | null; readonly password: Secret | null; readonly api_key: Secret | null },
  env: NodeJS.ProcessEnv,
): Promise<BulkSecret> {
  const { username, password, api_key: apiKey } = config;
  if (apiKey !== null) return { apiKey: await readSecret(apiKey, env) };
  if (username === null || password === null) return {};
  return { username, password: await readSecret(password, env) };
}

/** Capitals are left to the server: Elasticsearch refuses them, others do not. */
function isIndexName(name: string): boolean {
  return !/[\\/*?"<>|,#\s:]/.test(name) && !/^[-_+]|^\.{0,2}$/.test(name) && Buffer.byteLength(name) <= 255;
}

function indexName(): z.ZodType<string> {
  const schema = z.string({ error: INDEX_WISH }).refine(isIndexName, { error: INDEX_WISH });
  return described(schema, { kind: 'string' });
}

function template(): z.ZodType<TemplateConfig> {
  const words = new Map<unknown, unknown>([['false', false]]);
  const schema = z.union([z.literal('auto'), z.literal(false), z.record(text(), z.unknown())], {
    error: 'wanted auto, false or a map, the body of an index template',
  });
  const read = z.preprocess((value) => words.get(value) ?? value, schema) as unknown as z.ZodType<TemplateConfig>;
  return described(read, { kind: '`auto`, `false`, map' });
}
