import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { fill, smallDisk } from '../support/disk.ts';
import { readSamples } from '../support/exposition.ts';
import { get } from '../support/http.ts';
import { fixture } from '../support/paths.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

/** Matches of that many filters, each of which becomes a series. */
function matches(from: number, to: number): string {
  const lines = Array.from({ length: to - from }, (_, index) => `INFO web.f${from + index}: match ["192.0.2.1"]\n`);
  return lines.join('');
}

async function counted(program: Program): Promise<number | null> {
  const { status, text } = await get(`${program.url}/metrics`);
  if (status !== 200) return null;
  const samples = Object.entries(readSamples(text));
  return samples
    .filter(([name]) => name.startsWith('reaction_matches_total{stream="web"'))
    .reduce((sum, [, value]) => sum + value, 0);
}

t.test('while the disk is full nothing is shown, and afterwards nothing was lost', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const log = file(folder(t), 'reaction.log', '');
  const directory = join(disk, 'state');
  const { start } = home(t, {
    state: { directory },
    sources: { reaction: { config: '/nowhere', command: fixture('reaction/reaction'), logs: { file: log } } },
  });
  const program = await start();
  appendFileSync(log, matches(0, 50));
  await eventually('50 matches', async () => (await counted(program)) === 50);

  const filler = fill(disk);
  appendFileSync(log, matches(0, 3_000));
  const reason = `cannot save to state directory ${directory}: no space left on the disk`;
  await eventually('the disk to be noticed', async () => (await get(`${program.url}/-/ready`)).status === 503);
  t.equal((await get(`${program.url}/-/ready`)).text, `not ready: ${reason}\n`);
  for (let tries = 0; tries < 5; tries++) {
    const { status, text } = await get(`${program.url}/metrics`);
    t.equal(status, 503);
    t.equal(text, `metrics are withheld: ${reason}\n`);
    appendFileSync(log, matches(0, 10));
  }
  t.equal((await get(`${program.url}/-/healthy`)).status, 200, 'it lives');
  t.equal(JSON.parse((await get(`${program.url}/api/v1/status`)).text).problem, reason);
  t.match((await get(program.url)).text, 'no space left on the disk');

  filler.remove();
  await eventually('what was withheld', async () => (await counted(program)) === 3_100);
  t.equal((await get(`${program.url}/-/ready`)).status, 200);
  await program.kill();
  const again = await start();
  t.equal(await counted(again), 3_100, 'it was saved');
  t.equal(await again.stop(), 0);

  const said = program.log();
  t.ok(isForPeople(said), said);
  for (const line of said.trimEnd().split('\n')) t.match(line, /^\{"level":/, 'nothing but the log');
  t.equal(said.split('"state cannot be saved').length - 1, 1, 'said once');
  t.match(said, '"msg":"state is saved again"');
});

t.test('it stops while the disk is full, says so, and reads again what it could not save', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const log = file(folder(t), 'reaction.log', '');
  const { start } = home(t, {
    state: { directory: join(disk, 'state') },
    sources: { reaction: { config: '/nowhere', command: fixture('reaction/reaction'), logs: { file: log } } },
  });
  const program = await start();
  const filler = fill(disk);
  appendFileSync(log, matches(0, 3_000));
  await eventually('the disk to be noticed', async () => (await get(`${program.url}/-/ready`)).status === 503);
  t.equal(await program.stop(), 1);
  t.match(program.log(), '"msg":"stopped without saving all; what is not saved is read again at the next start"');
  t.ok(isForPeople(program.log()), program.log());
  filler.remove();
  const again = await start();
  await eventually('all matches', async () => (await counted(again)) === 3_000);
  t.equal(await again.stop(), 0);
});

t.test('a start on a full disk', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const place = folder(t);
  const directory = join(disk, 'state');
  mkdirSync(directory);
  fill(disk);
  const reaction = { command: fixture('reaction/reaction'), logs: { file: fixture('reaction/v2.log') } };
  const path = join(place, 'c.json');
  writeFileSync(path, JSON.stringify({ listen: { port: 0 }, state: { directory }, sources: { reaction } }));
  const { code, stderr } = await cli(['-c', path, 'start']);
  t.equal(code, 1);
  t.match(stderr, `"msg":"state directory ${directory}: no space left on the disk"`);
  t.ok(isForPeople(stderr), stderr);
});
