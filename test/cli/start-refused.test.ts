import { once } from 'node:events';
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { STATE_FORMAT } from '../../src/core/state.ts';
import { cli, file, folder, give, isForPeople } from '../support/cli.ts';
import { fixture } from '../support/paths.ts';
import { eventually, home } from '../support/trailgauge.ts';

const SOURCES = {
  reaction: {
    config: fixture('reaction/etc'),
    command: fixture('reaction/reaction'),
    logs: { file: fixture('reaction/v2.log') },
  },
};

type Section = Readonly<Record<string, unknown>>;

/** The reason that the log ends with. */
async function refusal(
  config: Section,
  options: { readonly unprivileged?: boolean } = {},
): Promise<{ code: number | null; reason: string; stderr: string }> {
  const place = (config.place as string | undefined) ?? '';
  const path = file(
    place,
    'c.json',
    JSON.stringify({ listen: { port: 0 }, sources: SOURCES, ...config, place: undefined }),
  );
  const { code, stdout, stderr } = await cli(['-c', path, 'start'], options);
  if (stdout !== '') throw new Error(`on stdout: ${stdout}`);
  if (!isForPeople(stderr)) throw new Error(`not for people: ${stderr}`);
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return { code, reason: last.startsWith('{') ? (JSON.parse(last) as { msg: string }).msg : last, stderr };
}

t.test('where it cannot listen', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  const cases: readonly (readonly [listen: Section, reason: string])[] = [
    [
      { port: taken },
      `cannot listen on 127.0.0.1 port ${taken}: another program has it; set listen.port to one that is free`,
    ],
    [
      { port: 0, address: '192.0.2.7' },
      'cannot listen on 192.0.2.7 port 0: this machine has no such address; set listen.address to one of its own',
    ],
    [
      { port: 0, address: 'nowhere.invalid' },
      'cannot listen on nowhere.invalid port 0: found no address of that name; set listen.address to one',
    ],
  ];
  for (const [listen, reason] of cases) {
    const place = folder(t);
    const found = await refusal({ place, listen, state: { directory: join(place, 'state') } });
    t.match(found, { code: 1, reason });
  }
});

t.test('a port that is not allowed', async (t) => {
  const first = Number(
    await import('node:fs').then(({ readFileSync }) =>
      readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'),
    ),
  );
  if (first <= 1) {
    t.pass('skipped', { skip: 'this machine allows every port to everybody' });
    return;
  }
  const place = give(folder(t));
  const found = await refusal(
    { place, listen: { port: 1 }, state: { directory: join(place, 'state') } },
    { unprivileged: true },
  );
  t.match(found, {
    code: 1,
    reason: 'cannot listen on 127.0.0.1 port 1: this user may not; set listen.port to one above 1023',
  });
});

t.test('a web configuration with mistakes is a mistake in the configuration', async (t) => {
  const place = folder(t);
  const web = file(
    place,
    'web.yml',
    'tls_server_config:\n  cert_file: none.crt\n  key_fil: x\nbasic_auth_users:\n  alice: hunter2\n',
  );
  const found = await refusal({ place, listen: { port: 0, web_config: web } });
  t.equal(found.code, 2);
  const [tls, user] = found.stderr.split('\n').map((line) => line.replace(/:1:[0-9]+:/, ':'));
  t.match(tls, `${place}/c.json: listen.web_config: ${web}:3: tls_server_config.key_fil: unknown key`);
  t.match(user, `${place}/c.json: listen.web_config: ${web}:5: basic_auth_users.alice: wanted a bcrypt hash`);
  t.notMatch(found.stderr, 'hunter2');
  const missing = await refusal({ place, listen: { port: 0, web_config: join(place, 'none.yml') } });
  t.equal(missing.code, 2);
  t.match(missing.stderr, `: listen.web_config: cannot read ${place}/none.yml: ENOENT`);
});

t.test('a state directory that is none', async (t) => {
  const place = folder(t);
  const closed = join(place, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  const foreign = join(place, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'data.mdb'), '');
  chmodSync(join(foreign, 'data.mdb'), 0o000);
  give(foreign);
  const newer = join(place, 'newer');
  const root = open({ path: newer, noSubdir: false, overlappingSync: false });
  await root.openDB({ name: 'meta' }).put('format', STATE_FORMAT + 1);
  await root.close();

  const user = process.getuid?.() === 0 ? 65_534 : process.getuid?.();
  const cases: readonly (readonly [directory: string, unprivileged: boolean, reason: string])[] = [
    [file(place, 'file', ''), false, 'found a file in its way, wanted a directory'],
    [closed, true, `found no permission (EACCES) for user ${user}, wanted a directory it can read and write`],
    [
      join(closed, 'below'),
      true,
      `found no permission (EACCES) for user ${user}, wanted a directory it can read and write`,
    ],
    [foreign, true, `found no permission (EACCES) for user ${user}, wanted a directory it can read and write`],
    [
      newer,
      false,
      `found format ${STATE_FORMAT + 1}, wanted ${STATE_FORMAT}: it was written by another version of trailgauge; use that one, or another directory`,
    ],
    ['/proc/none', false, 'it cannot be made there (ENOENT), wanted another place'],
  ];
  const runs = cases.map(([directory, unprivileged]) => {
    const own = folder(t);
    return refusal({ place: own, state: { directory } }, { unprivileged });
  });
  for (const [index, found] of (await Promise.all(runs)).entries()) {
    const [directory, , reason] = cases[index] ?? [];
    t.match(found, { code: 1, reason: `state directory ${directory}: ${reason}` });
  }
});

t.test('a state directory that another one has, or that is damaged', async (t) => {
  const { folder: place, start, run } = home(t, { sources: SOURCES });
  const directory = join(place, 'state');
  const first = await start();
  const second = await run('start');
  t.equal(second.code, 1);
  t.match(
    second.stderr,
    `state directory ${directory}: found it in use by process ${first.pid}, wanted a directory of its own`,
  );
  await first.kill();
  const third = await start();
  t.ok(third.url, 'after kill -9 the next one starts at once');
  await eventually('something saved', () => third.log().includes('"msg":"started"'));
  t.equal(await third.stop(), 0);
  truncateSync(join(directory, 'data.mdb'), 4_096 * 3);
  const fourth = await run('start');
  t.equal(fourth.code, 1);
  t.match(fourth.stderr, `state directory ${directory}: found a damaged data.mdb, wanted one as this program wrote it`);
  t.ok(isForPeople(fourth.stderr), fourth.stderr);
});
