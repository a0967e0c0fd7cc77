import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls';
import { hashSync } from 'bcryptjs';
import t, { type Test } from 'tap';
import { loadWebConfig, type WebConfig } from '../../src/server/web-config.ts';
import { need, program } from '../support/services.ts';

/** Of the password `U*U`: crypt_blowfish's own test vector. */
const hash = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function unexpected(problem: Error): never {
  throw problem;
}

/** Makes certificates; the first is its own authority, and that of all others. */
function authority(t: Test, place = folder(t)) {
  const openssl = program('openssl') ?? 'openssl';
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  return {
    place,
    make(name: string, names: string, by: string | null = 'ca'): string {
      const base = join(place, name);
      const args = ['req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
      const sign = by === null ? [] : ['-CA', join(place, `${by}.crt`), '-CAkey', join(place, `${by}.key`)];
      const basic = ['-addext', `basicConstraints=critical,CA:${by === null ? 'TRUE' : 'FALSE'}`];
      const out = ['-keyout', `${base}.key`, '-out', `${base}.crt`];
      execFileSync(openssl, [...args, ...basic, ...sign, ...out], { stdio: 'pipe' });
      return base;
    },
  };
}

function write(place: string, text: string): string {
  const path = join(place, 'web.yml');
  writeFileSync(path, text);
  return path;
}

async function serve(t: Test, web: WebConfig): Promise<Server> {
  if (web.tls === null) throw new Error('no TLS');
  const server = web.tls.createServer((_, response) => response.end('served'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

interface Seen {
  readonly body: string;
  readonly name: string;
  readonly socket: TLSSocket;
}

/** The server name stays empty, as it does for a scraper that was given an address. */
async function ask(server: Server, options: RequestOptions & ConnectionOptions): Promise<Seen> {
  const { port } = server.address() as AddressInfo;
  const all: RequestOptions & ConnectionOptions = { host: '127.0.0.1', port, agent: false, ...options };
  const sent = request(all);
  let socket: TLSSocket | undefined;
  let peer: PeerCertificate | undefined;
  sent.on('socket', (given) => {
    socket = given as TLSSocket;
    socket.on('secureConnect', () => {
      peer = socket?.getPeerCertificate();
    });
  });
  sent.end();
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  if (socket === undefined) throw new Error('no socket');
  return { body, name: String(peer?.subject?.CN), socket };
}

function pair(base: string): { cert: string; key: string } {
  return { cert: readFileSync(`${base}.crt`, 'utf8'), key: readFileSync(`${base}.key`, 'utf8') };
}

t.test('an empty file asks for nothing', async (t) => {
  for (const text of [
    '',
    '# nothing\n',
    '{}',
    'tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n',
    'null',
  ]) {
    const web = loadWebConfig(write(folder(t), text), { onProblem: unexpected });
    t.equal(web.tls, null);
    t.equal(web.headers.size, 0);
    t.equal(web.admit(), true);
    t.equal(await web.authorize(undefined), true);
  }
});

t.test('headers, users and a rate', async (t) => {
  let time = 0;
  const text = `http_server_config:
  http2: true
  headers:
    X-Frame-Options: deny
    X-XSS-Protection: 0
    Content-Security-Policy: ""
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  alice: ${hash}
  __proto__: "${hash}"
  1e3: ${hash}
rate_limit: { interval: 1s, burst: 2 }
`;
  const web = loadWebConfig(write(folder(t), text), { onProblem: unexpected, now: () => time });
  t.equal(web.tls, null);
  t.same(
    [...web.headers],
    [
      ['Strict-Transport-Security', 'max-age=31536000'],
      ['X-Frame-Options', 'deny'],
      ['X-XSS-Protection', '0'],
    ],
  );
  const login = (text: string) => web.authorize(`Basic ${Buffer.from(text).toString('base64')}`);
  for (const name of ['alice', '__proto__', '1e3']) t.equal(await login(`${name}:U*U`), true, name);
  t.equal(await login('alice:U*u'), false);
  t.equal(await login('1000:U*U'), false);
  t.equal(await web.authorize(undefined), false);
  t.same([web.admit(), web.admit(), web.admit()], [true, true, false]);
  time += 1000;
  t.same([web.admit(), web.admit()], [true, false]);
});

t.test('says what is wrong, and where, without a secret', async (t) => {
  const secret = '$2y$10$secret';
  const both = 'tls_server_config:\n  cert: a\n  key: b\n';
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['tls_server_conf: {}\n', ['1: tls_server_conf: unknown key, did you mean tls_server_config?']],
    [
      'x: 1\ny: 2',
      ['x', 'y'].map(
        (key, i) =>
          `${i + 1}: ${key}: unknown key, wanted one of tls_server_config, http_server_config, basic_auth_users, rate_limit`,
      ),
    ],
    [
      'tls_server_config:\n  cert_fil: a\n  clientAuthType: x\n',
      [
        '2: tls_server_config.cert_fil: unknown key, did you mean cert_file?',
        '3: tls_server_config.clientAuthType: unknown key, did you mean client_auth_type?',
      ],
    ],
    ['__proto__: { a: 1 }', ['1: __proto__: unknown key, wanted one of']],
    ['- a', ['1: found a list, wanted a map']],
    [secret, ['1: found text, wanted a map']],
    ['tls_server_config: [a]', ['1: tls_server_config: found a list, wanted a map']],
    ['tls_server_config:\n  cert: true', ['2: tls_server_config.cert: found true, wanted text']],
    ['tls_server_config:\n  key:\n    a: b', ['2: tls_server_config.key: found a map, wanted text']],
    [
      `${both}  prefer_server_cipher_suites: yes`,
      ['4: tls_server_config.prefer_server_cipher_suites: found text, wanted true or false'],
    ],
    [`${both}  min_version: TLS1.2`, ['4: tls_server_config.min_version: found "TLS1.2", did you mean TLS12?']],
    [`${both}  min_version: TLS10`, ['4: tls_server_config.min_version: found "TLS10", did you mean TLS12?']],
    [`${both}  min_version: SSL`, ['4: tls_server_config.min_version: found "SSL", wanted one of TLS12, TLS13']],
    [
      `${both}  min_version: TLS13\n  max_version: TLS12`,
      ['5: tls_server_config.max_version: found TLS12, less than min_version TLS13'],
    ],
    [
      `${both}  cipher_suites:\n    - TLS_AES_128_GCM_SHA256\n    - TLS_RSA_WITH_AES_128_CBC_SHA`,
      ['6: tls_server_config.cipher_suites.1: found "TLS_RSA_WITH_AES_128_CBC_SHA", wanted one of TLS_AES_128'],
    ],
    [
      `${both}  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]`,
      ['5: tls_server_config.cipher_suites: found none for TLS 1.2, wanted at least one, as max_version is TLS12'],
    ],
    [
      `${both}  curve_preferences: [P256]`,
      ['4: tls_server_config.curve_preferences.0: found "P256", wanted one of CurveP256, CurveP384, CurveP521, X25519'],
    ],
    [
      'tls_server_config:\n  cert: a\n  cert_file: b\n  key_file: c\n',
      ['2: tls_server_config.cert: wanted cert or cert_file, not both'],
    ],
    [
      'tls_server_config:\n  min_version: TLS13\n',
      ['1: tls_server_config: wanted cert_file or cert', '1: tls_server_config: wanted key_file or key'],
    ],
    [
      `${both}  client_ca_file: x`,
      ['4: tls_server_config.client_ca_file: no client is asked for a certificate, wanted a client_auth_type'],
    ],
    [
      `${both}  client_auth_type: RequireAndVerifyClientCert`,
      ['4: tls_server_config.client_auth_type: RequireAndVerifyClientCert wanted client_ca_file or client_ca'],
    ],
    [
      `${both}  client_auth_type: RequireAndVerify`,
      ['4: tls_server_config.client_auth_type: found "RequireAndVerify", wanted one of NoClientCert, Request'],
    ],
    [
      `${both}  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]`,
      [
        '5: tls_server_config.client_allowed_sans: found client_auth_type RequestClientCert, wanted RequireAndVerifyClientCert or RequireAnyClientCert',
      ],
    ],
    [
      `${both}  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: []`,
      ['5: tls_server_config.client_allowed_sans: found an empty list, wanted a name'],
    ],
    [
      'http_server_config:\n  headers:\n    X-Frame-Option: deny\n    X-Content-Type-Options: sniff\n    X-XSS-Protection: "a\\nb"',
      [
        '3: http_server_config.headers.X-Frame-Option: unknown key, did you mean X-Frame-Options?',
        '4: http_server_config.headers.X-Content-Type-Options: found "sniff", wanted nosniff',
        '5: http_server_config.headers.X-XSS-Protection: wanted printable ASCII text on one line',
      ],
    ],
    ['http_server_config: { headers: { Server: x } }', ['1: http_server_config.headers.Server: unknown key, wanted']],
    [
      `basic_auth_users:\n  alice: ${hash}\n  bob: ${secret}\n  "c:d": ${hash}\n  e:\n`,
      [
        '3: basic_auth_users.bob: wanted a bcrypt hash, as "htpasswd -nBC 10 NAME" prints it',
        '4: basic_auth_users.c:d: a user name cannot hold a colon',
        '5: basic_auth_users.e: wanted a bcrypt hash, as "htpasswd -nBC 10 NAME" prints it',
      ],
    ],
    [`basic_auth_users: [${secret}]`, ['1: basic_auth_users: wanted a map of user names to bcrypt hashes']],
    [`basic_auth_users:\n  a: ${hash.replace('05', '32')}`, ['2: basic_auth_users.a: wanted a bcrypt hash']],
    [
      'rate_limit:\n  interval: 1\n  burst: -1',
      [
        '2: rate_limit.interval: wanted a duration such as 500ms, 1s or 1m30s',
        '3: rate_limit.burst: wanted a whole number',
      ],
    ],
    ['rate_limit:\n  interval: 1s', ['1: rate_limit: wanted a burst of 1 or more: with 0 every request is refused']],
    ['a: [', ['1: not valid YAML: ']],
    [`basic_auth_users:\n  a: b\n   ${secret}: c`, ['2: not valid YAML: ', '2: not valid YAML: ']],
    [`a: !x ${secret}`, ['1: not valid YAML: tag resolve failed']],
    ['a: 1\na: 2', ['2: not valid YAML: duplicate key']],
    ['a: *b', ['an alias without its anchor']],
    ['http_server_config: &a { headers: *a }', ['1: http_server_config.headers.headers: unknown key']],
  ];
  const place = folder(t);
  for (const [text, wanted] of cases) {
    const path = write(place, text);
    const problem = failure(() => loadWebConfig(path, { onProblem: unexpected }));
    const lines = problem.message.split('\n');
    t.equal(lines.length, wanted.length, problem.message);
    for (const [i, line] of wanted.entries()) {
      const start = /^[0-9]/.test(line) ? `${path}:${line}` : `${path}: ${line}`;
      t.equal(lines[i]?.slice(0, start.length), start);
    }
    t.notMatch(problem.message, 'secret');
    t.notMatch(problem.message, hash);
  }
});

t.test('names the file that cannot be read', async (t) => {
  const place = folder(t);
  const none = join(place, 'none.yml');
  t.match(failure(() => loadWebConfig(none, { onProblem: unexpected })).message, `cannot read ${none}: ENOENT`);
  const path = write(place, 'tls_server_config:\n  cert_file: a.crt\n  key_file: /a.key\n');
  t.match(
    failure(() => loadWebConfig(path, { onProblem: unexpected })).message,
    `${path}:2: tls_server_config.cert_file: cannot read ${join(place, 'a.crt')}: ENOENT`,
  );
  writeFileSync(join(place, 'a.crt'), 'x'.repeat(2 ** 20 + 1));
  t.match(failure(() => loadWebConfig(path, { onProblem: unexpected })).message, 'it is larger than 1 MiB');
});

t.test('certificates that do not fit are refused at once, and no key is shown', async (t) => {
  if (!need(t, 'openssl')) return;
  const { place, make } = authority(t);
  make('ca', 'DNS:ca', null);
  make('a', 'IP:127.0.0.1');
  make('b', 'IP:127.0.0.1');
  const path = write(place, 'tls_server_config:\n  cert_file: a.crt\n  key_file: b.key\n');
  const problem = failure(() => loadWebConfig(path, { onProblem: unexpected }));
  t.match(problem.message, `${path}:2: tls_server_config.cert_file: cannot use ${place}/a.crt with ${place}/b.key: `);
  t.match(problem.message, 'key values mismatch');
  const inPlace = write(place, `tls_server_config: { cert: "no", key: ${JSON.stringify(pair(join(place, 'b')).key)} }`);
  const second = failure(() => loadWebConfig(inPlace, { onProblem: unexpected }));
  t.match(second.message, 'tls_server_config.cert: cannot use cert with key: ');
  t.notMatch(`${second.message} ${second.cause}`, 'PRIVATE');
  const noCa = write(
    place,
    'tls_server_config: { cert_file: a.crt, key_file: a.key, client_auth_type: RequestClientCert, client_ca_file: a.key }',
  );
  t.match(
    failure(() => loadWebConfig(noCa, { onProblem: unexpected })).message,
    `tls_server_config.client_ca_file: cannot use ${place}/a.key: no certificate in it`,
  );
});

t.test('serves over TLS as the file says', async (t) => {
  if (!need(t, 'openssl')) return;
  const { place, make } = authority(t);
  const ca = pair(make('ca', 'DNS:ca', null)).cert;
  const { cert, key } = pair(make('a', 'IP:127.0.0.1'));
  const text = `tls_server_config:
  cert: ${JSON.stringify(cert)}
  key: ${JSON.stringify(key)}
  max_version: TLS12
  cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [CurveP384]
`;
  const server = await serve(t, loadWebConfig(write(place, text), { onProblem: unexpected }));
  const seen = await ask(server, { ca, ALPNProtocols: ['h2', 'http/1.1'] });
  t.equal(seen.body, 'served');
  t.equal(seen.socket.getProtocol(), 'TLSv1.2');
  t.equal(seen.socket.alpnProtocol, 'http/1.1');
  t.equal(seen.socket.getCipher().standardName, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', "the server's order");
  await t.rejects(ask(server, { ca, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }), 'a suite that is not listed');
  await t.rejects(ask(server, { ca, ecdhCurve: 'P-256' }), 'a curve that is not listed');
  await t.rejects(ask(server, { ca, minVersion: 'TLSv1.3' }), 'a version that is not served');
  await t.rejects(ask(server, {}), 'an authority that the client does not know');
});

t.test('a renewed certificate is served at once; one that does not fit leaves the old one', async (t) => {
  if (!need(t, 'openssl')) return;
  const { place, make } = authority(t);
  const ca = pair(make('ca', 'DNS:ca', null)).cert;
  for (const name of ['first', 'second', 'third']) make(name, 'IP:127.0.0.1');
  mkdirSync(join(place, 'tls'));
  const link = (name: string, ...ends: readonly string[]) => {
    for (const end of ends) {
      rmSync(join(place, 'tls', end), { force: true });
      symlinkSync(join(place, name + end), join(place, 'tls', end));
    }
  };
  link('first', '.crt', '.key');
  let time = 0;
  const problems: Error[] = [];
  const path = write(place, 'tls_server_config: { cert_file: tls/.crt, key_file: tls/.key }');
  const web = loadWebConfig(path, { onProblem: (problem) => problems.push(problem), now: () => time });
  const server = await serve(t, web);
  t.equal((await ask(server, { ca })).name, 'first');
  link('second', '.crt', '.key');
  t.equal((await ask(server, { ca })).name, 'first', 'not looked at again within a second');
  time += 1000;
  t.equal((await ask(server, { ca })).name, 'second');
  t.same(problems, []);
  link('third', '.crt');
  for (let i = 0; i < 3; i++) {
    time += 1000;
    t.equal((await ask(server, { ca })).name, 'second');
  }
  t.equal(problems.length, 1, 'said once');
  t.match(problems[0]?.message, 'key values mismatch');
  unlinkSync(join(place, 'tls', '.key'));
  time += 1000;
  t.equal((await ask(server, { ca })).name, 'second');
  t.match(problems[1]?.message, `tls_server_config.key_file: cannot read ${place}/tls/.key: ENOENT`);
  link('third', '.key');
  time += 1000;
  t.equal((await ask(server, { ca })).name, 'third');
  t.equal(problems.length, 2);
  const requiring =
    'tls_server_config: { cert_file: tls/.crt, key_file: tls/.key, client_auth_type: RequireAnyClientCert }';
  for (const text of ['', requiring]) {
    write(place, text);
    time += 1000;
    t.equal((await ask(server, { ca })).name, 'third');
    t.equal(problems.pop()?.message, `${path}: a change of TLS or of client_auth_type needs a restart`);
  }
});

t.test('users and headers follow the file; one that cannot be used changes nothing', async (t) => {
  const place = folder(t);
  const path = write(place, `basic_auth_users: { alice: ${hash} }`);
  let time = 0;
  const problems: string[] = [];
  const web = loadWebConfig(path, { onProblem: (problem) => problems.push(problem.message), now: () => time });
  const login = (text: string) => web.authorize(`Basic ${Buffer.from(text).toString('base64')}`);
  t.equal(await login('alice:U*U'), true);
  write(
    place,
    `basic_auth_users: { bob: ${hashSync('x', 4)} }\nhttp_server_config: { headers: { X-Frame-Options: deny } }`,
  );
  time += 1000;
  t.equal(await login('alice:U*U'), false, 'what was remembered is forgotten');
  t.equal(await login('bob:x'), true);
  t.equal(web.headers.get('X-Frame-Options'), 'deny');
  write(place, 'basic_auth_users: { bob: x }');
  time += 1000;
  t.equal(await login('bob:x'), true);
  t.equal(await login('bob:y'), false);
  unlinkSync(path);
  time += 1000;
  t.equal(await login('bob:x'), true);
  t.match(problems, [
    `${path}:1: basic_auth_users.bob: wanted a bcrypt hash, as "htpasswd -nBC 10 NAME" prints it`,
    `cannot read ${path}: ENOENT`,
  ]);
});

t.test('clients are let in as client_auth_type says', async (t) => {
  if (!need(t, 'openssl')) return;
  const { place, make } = authority(t);
  const ca = pair(make('ca', 'DNS:ca', null)).cert;
  make('server', 'IP:127.0.0.1');
  const clients = {
    none: {},
    known: pair(make('known', 'DNS:client')),
    stranger: pair(make('stranger', 'DNS:client', null)),
  };
  const open = { none: true, known: true, stranger: true };
  const cases: readonly (readonly [string, Readonly<Record<keyof typeof clients, boolean>>])[] = [
    ['', open],
    ['client_auth_type: RequestClientCert', open],
    ['client_auth_type: RequireAnyClientCert', { ...open, none: false }],
    ['client_auth_type: RequireClientCert', { ...open, none: false }],
    ['client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.crt', { ...open, stranger: false }],
    [
      'client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt',
      { none: false, known: true, stranger: false },
    ],
  ];
  for (const [policy, wanted] of cases) {
    const path = write(place, `tls_server_config: { cert_file: server.crt, key_file: server.key, ${policy} }`);
    const server = await serve(t, loadWebConfig(path, { onProblem: unexpected }));
    let requests = 0;
    server.on('request', () => requests++);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const name of ['none', 'known', 'stranger'] as const) {
        const asked = ask(server, { ca, maxVersion, ...clients[name] });
        const text = `${name}, ${policy}, ${maxVersion}`;
        if (wanted[name]) t.equal((await asked).body, 'served', text);
        else await t.rejects(asked, text);
      }
    }
    t.equal(requests, 2 * Object.values(wanted).filter(Boolean).length, 'no request of a client that was not let in');
  }
});

t.test('only clients with an allowed name get in, also when they resume a session', async (t) => {
  if (!need(t, 'openssl')) return;
  const { place, make } = authority(t);
  const ca = pair(make('ca', 'DNS:ca', null)).cert;
  make('server', 'IP:127.0.0.1');
  const text = `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [scraper.example, "2001:db8::1", spiffe://a/b, ops@a.example]
`;
  let time = 0;
  const server = await serve(t, loadWebConfig(write(place, text), { onProblem: unexpected, now: () => time }));
  const allowed = ['DNS:x,DNS:scraper.example', 'IP:2001:db8:0::1', 'URI:spiffe://a/b', 'email:ops@a.example'];
  for (const [i, names] of allowed.entries()) {
    t.equal((await ask(server, { ca, ...pair(make(`good${i}`, names)) })).body, 'served', names);
  }
  for (const [i, names] of ['DNS:*.example', 'DNS:Scraper.example', 'IP:127.0.0.1', 'URI:spiffe://a'].entries()) {
    await t.rejects(ask(server, { ca, ...pair(make(`bad${i}`, names)) }), names);
  }
  const login = { ca, ...pair(join(place, 'good0')) };
  const { cert: _cert, key: _key, ...without } = login;
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const sessions: Buffer[] = [];
    t.equal(await resumable(server, { ...login, maxVersion, agent: false }, sessions), 'served');
    const session = sessions.at(-1);
    if (session === undefined) throw new Error('no session was offered');
    const again = await ask(server, { ...without, maxVersion, session });
    t.equal(again.body, 'served', `the session knows the certificate, ${maxVersion}`);
    t.equal(again.socket.isSessionReused(), true);
    write(place, text.replace('scraper.example', 'other.example'));
    time += 1000;
    await t.rejects(ask(server, { ...without, maxVersion, session }), `no longer allowed, ${maxVersion}`);
    await t.rejects(ask(server, { ...login, maxVersion, session }), `no longer allowed, ${maxVersion}`);
    write(place, text);
    time += 1000;
  }
});

/** Asks, and keeps the sessions that the server offers, whether it answers or not. */
async function resumable(server: Server, options: RequestOptions, sessions: Buffer[]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, ...options });
  sent.on('socket', (socket) => socket.on('session', (session: Buffer) => sessions.push(session)));
  sent.end();
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

function failure(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('this did not fail');
}

t.test('promtool and we agree about files', async (t) => {
  if (!need(t, 'openssl', 'promtool')) return;
  const { place, make } = authority(t);
  make('ca', 'DNS:ca', null);
  make('a', 'IP:127.0.0.1');
  const pair = '  cert_file: a.crt\n  key_file: a.key\n';
  const tls = `tls_server_config:\n${pair}`;
  const files: readonly (readonly [boolean, string])[] = [
    [true, ''],
    [true, `basic_auth_users:\n  alice: ${hash}\n`],
    [true, `basic_auth_users:\n`],
    [true, `${tls}`],
    [true, `${tls}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n`],
    [true, `${tls}  min_version: TLS13\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  curve_preferences: [X25519]\n`],
    [true, `${tls}  prefer_server_cipher_suites: false\nhttp_server_config: { http2: false }\n`],
    [true, 'http_server_config: { headers: { X-Frame-Options: deny, X-XSS-Protection: 0 } }'],
    [false, 'tls_server_config: { cert_fil: x }'],
    [false, `${tls}  min_version: TLS14\n`],
    [false, `${tls}  client_ca_file: ca.crt\n`],
    [false, `${tls}  client_auth_type: Sometimes\n`],
    [false, `${tls}  cipher_suites: [AES]\n`],
    [false, `tls_server_config:\n${pair.replace('a.key', 'ca.key')}`],
    [false, `tls_server_config:\n${pair.replace('a.key', 'none')}`],
    [false, 'http_server_config: { headers: { X-Frame-Options: allow } }'],
    [false, 'http_server_config: { headers: { Server: x } }'],
    [false, 'basic_auth_users: [a]'],
    [false, 'x: ['],
  ];
  for (const [good, text] of files) {
    const path = write(place, text);
    const { status } = spawnSync(program('promtool') ?? 'promtool', ['check', 'web-config', path]);
    t.equal(status === 0, good, `promtool: ${text}`);
    if (good) t.doesNotThrow(() => loadWebConfig(path, { onProblem: unexpected }), text);
    else t.throws(() => loadWebConfig(path, { onProblem: unexpected }), text);
  }
});
