import * as z from 'zod';
import {
  choice,
  described,
  duration,
  fieldMeta,
  flag,
  integer,
  option,
  period,
  secret,
  section,
  text,
} from '../../core/fields.ts';

const auth = section('Who signs in. What is left out comes from the clouds file, and then from `OS_*` variables.', {
  url: option(
    maybe(address('https://iam.eu-de.otc.t-systems.com/v3')),
    null,
    'Address of the identity service, such as `https://iam.eu-de.otc.t-systems.com/v3`. Null: `$OS_AUTH_URL`.',
  ),
  username: option(maybe(text()), null, 'User. Null: `$OS_USERNAME`.'),
  user_id: option(maybe(plainText()), null, 'Id of the user, instead of its name. Null: `$OS_USER_ID`.'),
  password: option(maybe(secret()), null, 'Password of the user. Null: `$OS_PASSWORD`.'),
  user_domain: option(
    maybe(text()),
    null,
    'Domain (account) of the user. Null: `$OS_USER_DOMAIN_NAME`, else `$OS_DOMAIN_NAME`.',
  ),
  user_domain_id: option(maybe(plainText()), null, 'Id of that domain, instead of its name.'),
  project: option(
    maybe(plainText()),
    null,
    'Project, such as `eu-de_shop`; 32 hex digits are an id. Null: `$OS_PROJECT_ID`, else `$OS_PROJECT_NAME`.',
  ),
  token: option(maybe(secret()), null, 'A token, used until it is refused. Null: `$OS_TOKEN`.'),
  ak: option(
    maybe(text()),
    null,
    'Access key; goes before a password. Null: `$OS_ACCESS_KEY`, else `$AWS_ACCESS_KEY_ID`.',
  ),
  sk: option(
    maybe(secret()),
    null,
    'Secret key of the access key. Null: `$OS_SECRET_KEY`, else `$AWS_SECRET_ACCESS_KEY`.',
  ),
  security_token: option(maybe(secret()), null, 'Token of a temporary access key. Null: `$OS_SECURITY_TOKEN`.'),
  signing: option(
    choice('auto', 'credential', 'access'),
    'auto',
    'How requests are signed with an access key; `auto`: as `credential`, and as `access` where that is refused.',
  ),
});

const tls = section('How the servers of the cloud are trusted.', {
  ca: option(maybe(text()), null, 'File of certificates (PEM) to trust beside the usual ones. Null: `$OS_CACERT`.'),
  cert: option(maybe(text()), null, 'File of the client certificate (PEM), where one is asked for.'),
  key: option(maybe(text()), null, 'File of the key of that certificate (PEM).'),
  insecure: option(flag(), false, 'Whether certificates of servers are not looked at.'),
});

const fields = section('Open Telekom Cloud: traces of the Cloud Trace Service, of one project in one region.', {
  cloud: option(maybe(text()), null, 'Cloud of the clouds file. Null: `$OS_CLOUD`, else the only one of the file.'),
  clouds_file: option(
    maybe(text()),
    null,
    'Clouds file. Null: `$OS_CLIENT_CONFIG_FILE`, else `clouds.yaml` here, in `~/.config/openstack` or `/etc/openstack`.',
  ),
  auth,
  region: option(
    maybe(text()),
    null,
    'Region, such as `eu-de`. Null: that of the clouds file, `$OS_REGION_NAME`, or the name of the project up to its first `_`.',
  ),
  endpoint: option(
    maybe(address('https://cts.eu-de.otc.t-systems.com')),
    null,
    'Address of the service. Null: what the catalog of the cloud says.',
  ),
  tracker: option(maybe(text()), null, 'Tracker. Null: `$CTS_TRACKER`, else `system`.'),
  interval: option(maybe(period()), null, 'Time between two polls. Null: `$CTS_FROM` minutes, else `1m`.'),
  overlap: option(duration(), '5m', 'How far a poll looks back for traces that became visible late.'),
  since: option(duration(), '0s', 'At the very first start, traces that are older are left out.'),
  retention: option(period(), '7d', 'How long the service keeps traces.'),
  api: option(choice('auto', 'v3', 'v2', 'v1'), 'auto', 'Version of the API; `auto`: the newest that is there.'),
  labels: option(labels(), [], 'Further labels of `cts_traces_total`: `operation`, `user`, `region`, `project`.'),
  tls,
  timeout: option(period(), '30s', 'Longest wait for an answer.'),
  top: option(integer(0, 1000), 20, 'How many of the busiest users and addresses are shown; 0 for none.'),
  distinct: option(flag(), true, 'Whether different users and addresses are counted.'),
});

/** A validated `sources.cts`. */
export type CtsConfig = z.output<typeof fields>;

/** A validated `auth` of `sources.cts`. */
export type CtsAuthConfig = CtsConfig['auth'];

/** `sources.cts`. */
export const ctsConfig: z.ZodType<CtsConfig> = described(
  fields.superRefine((value, context) => {
    for (const [path, message] of faultsOf(value)) context.addIssue({ code: 'custom', path: path.split('.'), message });
  }),
  fieldMeta(fields) ?? {},
);

/** What goes together; what is missing may yet come from a file or the environment. */
function faultsOf(config: CtsConfig): readonly (readonly [path: string, message: string])[] {
  const faults: [path: string, message: string][] = [];
  const { username, user_id: userId, user_domain: domain, user_domain_id: domainId } = config.auth;
  if (username !== null && userId !== null) {
    faults.push(['auth.user_id', 'found both username and user_id, wanted one of them']);
  }
  if (domain !== null && domainId !== null) {
    faults.push(['auth.user_domain_id', 'found both user_domain and user_domain_id, wanted one of them']);
  }
  if ((config.tls.cert === null) !== (config.tls.key === null)) {
    faults.push(
      config.tls.key === null
        ? ['tls.key', 'found cert without key, wanted both']
        : ['tls.cert', 'found key without cert, wanted both'],
    );
  }
  return faults;
}

type Label = 'operation' | 'user' | 'region' | 'project';

function labels(): z.ZodType<readonly Label[]> {
  const schema = z.array(choice('operation', 'user', 'region', 'project'), { error: 'wanted a list of labels' });
  return described(schema, { kind: 'list of strings' });
}

function maybe<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return described(schema.nullable(), fieldMeta(schema) ?? {});
}

/** YAML takes an id of digits for a number. */
function plainText(): z.ZodType<string> {
  const schema = z.preprocess(
    (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value),
    text(),
  ) as unknown as z.ZodType<string>;
  return described(schema, { kind: 'string' });
}

/** An address without user, query and fragment; a path may stay. */
function address(example: string): z.ZodType<string> {
  const wish = `wanted an address such as ${example}, without user and query`;
  const schema = z.string({ error: wish }).superRefine((value, context) => {
    if (isAddress(value)) return;
    // What stands before an @ may be a password.
    context.addIssue({ code: 'custom', message: value.includes('@') ? `found an address with a user, ${wish}` : wish });
  });
  return described(schema, { kind: 'URL' });
}

function isAddress(value: string): boolean {
  if (/\s/.test(value) || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash, hostname } = new URL(value);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '' && hostname !== '';
}
