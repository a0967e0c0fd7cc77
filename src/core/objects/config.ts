import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { openDirectory } from '../../lib/objects/directory.ts';
import { openS3 } from '../../lib/objects/s3.ts';
import type { ObjectStore } from '../../lib/objects/store.ts';
import { readSecret } from '../../lib/secrets.ts';
import { described, duration, fieldMeta, flag, option, period, type Secret, secret, text } from '../fields.ts';

/** A bucket, or a folder that is laid out as one, and how it is read. */
export interface StoreConfig {
  readonly endpoint: string | null;
  readonly region: string;
  readonly bucket: string | null;
  readonly prefix: string;
  readonly access_key: string | null;
  readonly secret_key: Secret | null;
  readonly path_style: boolean | null;
  readonly ca: string | null;
  readonly interval: string | number;
  readonly since: string | number;
  readonly directory: string | null;
}

/** Fields of a source that reads a bucket or a folder. */
export const STORE_FIELDS = {
  endpoint: option(
    endpoint(),
    null,
    'Address of the store, such as `https://s3.eu-west-1.lyvecloud.seagate.com`. Null: AWS.',
  ),
  region: option(text(), 'us-east-1', 'Region of the bucket; `auto` for Google Cloud.'),
  bucket: option(maybe(text()), null, 'Bucket in which the logs arrive.'),
  prefix: option(prefix(), '', 'What the keys begin with, such as `audit/`.'),
  access_key: option(
    maybe(text()),
    null,
    'Access key. Null: the usual places of AWS (environment, shared files, role of the machine).',
  ),
  secret_key: option(maybe(secret()), null, 'Secret key of the access key.'),
  path_style: option(
    maybe(flag()),
    null,
    'Whether the bucket goes into the path of the address. Null: if there is an endpoint.',
  ),
  ca: option(maybe(text()), null, 'File of certificates (PEM) to trust beside the usual ones.'),
  interval: option(period(), '1m', 'Time between two looks at the store.'),
  since: option(duration(), '1h', 'At the very first start, objects that arrived longer ago are left out.'),
  directory: option(maybe(text()), null, 'Folder with the same layout, instead of a bucket.'),
};

/** A section with these fields, checked for what goes together. */
export function storeSection<T extends StoreConfig>(section: z.ZodType<T>): z.ZodType<T> {
  const checked = section.superRefine((value, context) => {
    for (const [field, message] of faultsOf(value)) context.addIssue({ code: 'custom', path: [field], message });
  });
  return described(checked, fieldMeta(section) ?? {});
}

function faultsOf(config: StoreConfig): readonly (readonly [field: string, message: string])[] {
  const faults: [field: string, message: string][] = [];
  const { bucket, directory, access_key: accessKey, secret_key: secretKey } = config;
  if (bucket === null && directory === null)
    faults.push(['bucket', 'found neither bucket nor directory, wanted one of them']);
  if (bucket !== null && directory !== null)
    faults.push(['directory', 'found both bucket and directory, wanted one of them']);
  if (accessKey !== null && secretKey === null)
    faults.push(['secret_key', 'found access_key without secret_key, wanted both']);
  if (accessKey === null && secretKey !== null)
    faults.push(['access_key', 'found secret_key without access_key, wanted both']);
  return faults;
}

/** Opens what the configuration names. A file of certificates is read when it is first needed, until it can be read. */
export function openStore(config: StoreConfig, env: NodeJS.ProcessEnv): ObjectStore {
  if (config.directory !== null) return openDirectory(config.directory);
  const {
    endpoint: address,
    region,
    bucket,
    access_key: accessKey,
    secret_key: secretKey,
    path_style: style,
    ca,
  } = config;
  const options = {
    endpoint: address,
    region,
    bucket: bucket ?? '',
    accessKey,
    secretKey: () => readSecret(secretKey ?? '', env),
    pathStyle: style ?? address !== null,
  };
  const store = openS3(options);
  return ca === null ? store : storeWhen(store.name, () => openS3({ ...options, ca: readCertificates(ca) }));
}

/** A store that is opened at the first call for which it can be. */
function storeWhen(name: string, open: () => ObjectStore): ObjectStore {
  let store: ObjectStore | null = null;
  const opened = async () => {
    store ??= open();
    return store;
  };
  return {
    name,
    list: async (query, signal) => (await opened()).list(query, signal),
    get: async (object, signal) => (await opened()).get(object, signal),
    close: () => store?.close(),
  };
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new Error(`ca: cannot read ${path}: ${why}, wanted a file of certificates (PEM)`, { cause });
  }
}

function maybe<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return described(schema.nullable(), fieldMeta(schema) ?? {});
}

function prefix(): z.ZodType<string> {
  const wish = 'wanted the beginning of keys, such as audit/, without a slash before it';
  return described(
    z.string({ error: wish }).refine((value) => !value.startsWith('/'), { error: wish }),
    { kind: 'string' },
  );
}

function endpoint(): z.ZodType<string | null> {
  const wish = 'wanted an address such as https://HOST[:PORT], without user, path and query';
  const schema = z.string({ error: wish }).superRefine((value, context) => {
    if (isAddress(value)) return;
    // What stands before an @ may be a password.
    const message = value.includes('@') ? `found an address with a user, ${wish}` : wish;
    context.addIssue({ code: 'custom', message });
  });
  return described(schema.nullable(), { kind: 'URL' });
}

function isAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, pathname, search, hash, hostname } = new URL(value);
  const rest = `${username}${password}${search}${hash}`;
  return /^https?:$/.test(protocol) && rest === '' && pathname === '/' && hostname !== '';
}
