import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Credentials, readCredentials } from '../../../../src/sources/cts/access/credentials.ts';
import { settingsOf } from '../../../support/fake-cts-client.ts';
import { fixture } from '../../../support/paths.ts';

interface Case {
  readonly name: string;
  readonly files?: boolean;
  readonly cloud: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly expect?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

const cases = JSON.parse(readFileSync(fixture('cts/clouds/cases.json'), 'utf8')) as readonly Case[];

/** What the errors of the cases have to say. */
const ERRORS: ReadonlyMap<string, readonly RegExp[]> = new Map([
  ['unknown cloud', [/"vineyrad"/, /clouds\.yaml/, /secure\.yaml/, /\bvineyard\b/]],
  ['incomplete', [/auth_url/, /a password or ak and sk/, /a project/, /broken/]],
  ['several clouds and none chosen', [/vineyard, keys, swiss, token, broken/, /set sources\.cts\.cloud or OS_CLOUD/]],
]);

/** Credentials by the names of clouds.yaml. */
function flat({ authUrl, method, project, region, tls }: Credentials): Readonly<Record<string, unknown>> {
  const user = method.kind === 'password' ? method.user : null;
  return {
    auth_url: authUrl,
    method: method.kind,
    region,
    ...(project.id !== null && { project_id: project.id }),
    ...(project.name !== null && { project_name: project.name }),
    ...(user && 'id' in user && { user_id: user.id }),
    ...(user && 'name' in user && { username: user.name, user_domain_name: Object.values(user.domain)[0] }),
    ...(method.kind === 'password' && { password: method.password }),
    ...(method.kind === 'aksk' && { ak: method.ak, sk: method.sk }),
    ...(tls.ca !== null && { cacert: tls.ca }),
    ...(tls.insecure && { verify: false }),
  };
}

t.test('the cases of the clouds files', async (t) => {
  for (const { name, files = true, cloud, env, expect = {}, error } of cases) {
    const settings = settingsOf({ cloud }, env);
    const reading = readCredentials(settings, env, [files ? fixture('cts/clouds') : '/nonexistent']);
    if (error === undefined) {
      t.match(flat(await reading), expect, name);
      continue;
    }
    const { message } = await reading.then(
      () => new Error('none'),
      (found: Error) => found,
    );
    for (const part of ERRORS.get(name) ?? [/^$/]) t.match(message, part, name);
  }
  t.ok(cases.length >= 10);
});

function folder(t: Test, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const AUTH = { url: 'https://iam.test/v3', username: 'u', password: 'p', user_domain: 'D', project: 'eu-de_x' };

async function read(
  config: object,
  env: NodeJS.ProcessEnv = {},
  folders: readonly string[] = [],
): Promise<Credentials> {
  return readCredentials(settingsOf(config, env), env, folders);
}

async function refusal(config: object, env: NodeJS.ProcessEnv = {}, folders: readonly string[] = []): Promise<string> {
  return read(config, env, folders).then(
    () => 'none',
    (error: Error) => `${error.message}`,
  );
}

t.test('the section goes first, variables last', async (t) => {
  const env = {
    OS_AUTH_URL: 'https://env.test',
    OS_PASSWORD: 'env',
    OS_PROJECT_ID: 'f'.repeat(32),
    OS_USERNAME: 'e',
    OS_TOKEN: 'T',
    AWS_ACCESS_KEY_ID: 'A',
    AWS_SECRET_ACCESS_KEY: 'S',
    OS_REGION_NAME: 'eu-nl',
  };
  t.match(flat(await read({ auth: AUTH }, env)), {
    auth_url: 'https://iam.test/v3',
    method: 'password',
    password: 'p',
    project_name: 'eu-de_x',
    region: 'eu-nl',
  });
  t.match(flat(await read({}, env)), { method: 'token', auth_url: 'https://env.test/v3', project_id: 'f'.repeat(32) });
  const { OS_TOKEN: _, ...keys } = env;
  t.match(flat(await read({}, keys)), { method: 'aksk', ak: 'A', sk: 'S' });
  t.match(flat(await read({ auth: { ...AUTH, ak: 'K', sk: 'L' } }, env)), { method: 'aksk', ak: 'K', sk: 'L' });
  t.match(flat(await read({ auth: { ...AUTH, ak: 'K', sk: 'L', token: 'F' } })), { method: 'token' });
  t.match(flat(await read({ auth: { project: 'b7a1d2c3e4f5061728394a5b6c7d8e9f' } }, env)), {
    project_id: 'b7a1d2c3e4f5061728394a5b6c7d8e9f',
  });
});

t.test('files: which, and how', async (t) => {
  const cloud = (name: string, more = '') =>
    `clouds:\n  ${name}:\n    auth: {auth_url: 'https://iam.test', username: u, password: 0123, user_domain_id: d, project_name: a_b${more}}\n`;
  const first = folder(t, { 'clouds.yml': cloud('one'), 'clouds.json': '{"clouds":{"json":{}}}' });
  const second = folder(t, { 'clouds.yaml': cloud('two'), 'secure.json': '{"clouds":{"one":{"auth":{"sk":"S"}}}}' });
  t.match(flat(await read({}, {}, [first, second])), { method: 'password', password: '0123', region: 'a' });
  t.match(
    await refusal({ cloud: 'two' }, {}, [first, second]),
    /"two": not found in .*clouds\.yml, .*secure\.json; there are one/,
  );
  t.match(flat(await read({}, { OS_CLIENT_CONFIG_FILE: join(second, 'clouds.yaml'), OS_CLOUD: 'two' }, [first])), {
    password: '0123',
  });
  t.match(await refusal({ clouds_file: join(first, 'none.yaml') }), /none\.yaml: there is no such file/);
  t.match(
    await refusal({}, { OS_CLIENT_SECURE_FILE: '/nonexistent' }, [first]),
    /\/nonexistent: there is no such file/,
  );
  t.match(await refusal({ clouds_file: first }), /found no plain file/);
  t.match(await refusal({ cloud: 'x' }), /cloud "x": no clouds file was found/);
});

t.test('profiles, merge keys, other words', async (t) => {
  const files = {
    'clouds.yaml': `
base: &base {username: u, password: p, user_domain_name: d, project_name: r1_p}
clouds:
  own: {profile: mine, auth: {<<: *base}, region_name: r2, interface: internalURL, verify: 'False', cert: ~/c.pem, key: /k.pem}
  lost: {profile: none, auth: *base}
  given: {profile: none, auth: {<<: *base, auth_url: 'http://iam.test:8080/identity/v2.0/'}}
  words: {auth_type: v3password, auth: {<<: *base, auth_url: 'https://iam.test/v3/', ak: a, sk: s}}
  template: {auth: {auth_url: 'https://iam.test/v3', username: u, password: <PASSWORD>, project_name: p, user_domain_name: null}}
`,
    'clouds-public.yaml':
      'public-clouds: {mine: {auth: {auth_url: "https://{region_name}.iam.test"}, region_name: r3}}',
  };
  const at = [folder(t, files)];
  const home = { HOME: '/home/kim' };
  const own = await read({ cloud: 'own' }, home, at);
  t.match(own, { authUrl: 'https://r2.iam.test/v3', region: 'r2', interface: 'internal' });
  t.same(own.tls, { ca: null, cert: '/home/kim/c.pem', key: '/k.pem', insecure: true });
  t.match(await refusal({ cloud: 'lost' }, {}, at), /profile "none": not known; wanted otc, otc-swiss or/);
  t.match(await read({ cloud: 'given' }, {}, at), { authUrl: 'http://iam.test:8080/identity/v3' });
  t.match(await read({ cloud: 'words' }, {}, at), { method: { kind: 'password' }, authUrl: 'https://iam.test/v3' });
  t.match(await refusal({ cloud: 'template' }, {}, at), /cloud template: missing a password or ak and sk;/);
  const { tls } = await read({ cloud: 'own', tls: { ca: '/ca.pem' } }, home, at);
  t.match(tls, { ca: '/ca.pem', insecure: false });
});

t.test('what is missing or wrong', async (t) => {
  t.match(await refusal({}), /missing auth_url, username and a password, or ak and sk, a project; wanted in auth/);
  t.match(await refusal({ auth: { ...AUTH, user_domain: null } }), /missing user_domain_name;/);
  t.match(await refusal({ auth: { ...AUTH, password: null, ak: 'A' } }), /missing sk;/);
  t.match(await refusal({ auth: { ...AUTH, password: { env: 'NONE' } } }), /environment variable NONE is not set/);
  t.match(
    await refusal({}, { OS_AUTH_URL: 'https://u:geheim@x', OS_TOKEN: 't', OS_PROJECT_NAME: 'p' }),
    /found an address with a user/,
  );
  t.match(
    await refusal({}, { OS_AUTH_URL: 'iam', OS_TOKEN: 't', OS_PROJECT_NAME: 'p' }),
    /auth_url: found "iam", wanted/,
  );
  const id = 'b'.repeat(32);
  const endpoint = 'https://cts.test';
  t.match(await read({ endpoint, auth: { token: 'T', project: id } }), { authUrl: null, region: null });
  t.match(await refusal({ endpoint, auth: { token: 'T', project: 'name' } }), /missing auth_url;/);
});

t.test('a file that is no such file tells nothing of its content', async (t) => {
  const lines = [
    'clouds: {a: {auth: {password: geheim',
    'clouds:\n  a: 1\n  a: geheim\n',
    'geheim',
    '[geheim]',
    'clouds: [geheim]',
    `a: ${'['.repeat(100_000)}`,
    `x: &a [geheim]\n${Array.from({ length: 20 }, (_, index) => `${index}: &a${index} [${'*a,'.repeat(9)}]`).join('\n')}\n`,
    `clouds: "${'geheim'.repeat(200_000)}"`,
  ];
  for (const text of lines) {
    const message = await refusal({}, {}, [folder(t, { 'clouds.yaml': text })]);
    t.notMatch(message, /geheim/, text.slice(0, 40));
    t.match(message, /clouds\.yaml|missing/, text.slice(0, 40));
  }
});
