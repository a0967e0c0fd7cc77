import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cli, folder, isForPeople, launch } from '../support/cli.ts';
import { readSamples } from '../support/exposition.ts';
import { get } from '../support/http.ts';
import { eventually } from '../support/trailgauge.ts';

/** A demo with its own folder for temporary files. */
async function demo(t: Test, ...args: readonly string[]) {
  const temporary = folder(t);
  const child = launch(['demo', ...args], { env: { TMPDIR: temporary } });
  t.teardown(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close');
  await eventually(
    () => `the greeting:\n${stdout}${stderr}`,
    () => stdout.includes('nothing is left behind'),
  );
  return {
    url: /(http:\S+?)\/metrics/.exec(stdout)?.[1] ?? '',
    temporary,
    end: async (signal: NodeJS.Signals) => {
      child.kill(signal);
      const [code] = await ended;
      return { code, stdout, stderr };
    },
  };
}

/** All that was counted of reaction. */
async function total(url: string): Promise<number> {
  const { status, text } = await get(`${url}/metrics`);
  if (status !== 200) throw new Error(text);
  return Object.entries(readSamples(text))
    .filter(([name]) => /^reaction_(?:matches|actions)_total/.test(name))
    .reduce((sum, [, value]) => sum + value, 0);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`shows moving metrics within seconds, and ${signal} leaves nothing behind`, async (t) => {
    const { url, temporary, end } = await demo(t, '--port', '0');
    const first = await total(url);
    await eventually('a count to move', async () => (await total(url)) > first, 20_000);
    t.match((await get(url)).text, '<title>');
    t.equal(readSamples((await get(`${url}/metrics`)).text).reaction_up, 1);
    t.equal(readdirSync(temporary).length, 1);
    const { code, stdout, stderr } = await end(signal);
    t.equal(code, 0);
    t.equal(stderr, '');
    t.match(stdout, `  ${url}/metrics `);
    t.match(stdout, `targets: ['${new URL(url).host}']`);
    t.same(readdirSync(temporary), []);
  });
}

t.test('where 8080 is taken it takes another port, unless it was told which', async (t) => {
  const server = createServer();
  // If somebody else has it, that is as good.
  server.on('error', () => {});
  server.listen(8080, '127.0.0.1');
  t.teardown(() => server.close());
  const { url, temporary, end } = await demo(t);
  t.not(new URL(url).port, '8080');
  t.equal((await get(`${url}/-/healthy`)).status, 200);
  const told = await cli(['demo', '--port', '8080'], { env: { TMPDIR: temporary } });
  t.equal(told.code, 1);
  t.equal(
    told.stderr,
    'trailgauge: cannot listen on 127.0.0.1 port 8080: another program has it; set --port to one that is free\n',
  );
  t.equal((await end('SIGINT')).code, 0);
  t.same(readdirSync(temporary), []);
});

t.test('where no temporary folder can be made', async (t) => {
  const missing = join(folder(t), 'none');
  const { code, stdout, stderr } = await cli(['demo', '--port', '0'], { env: { TMPDIR: missing } });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    new RegExp(`^trailgauge: cannot make a folder in ${missing}: .*; set TMPDIR to one that can be written\n$`),
  );
  t.ok(isForPeople(stderr), stderr);
});
