import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { follower, scrape, statusOf, sumOf } from '../support/follower.ts';
import { eventually, LIMIT_MS, type Program } from '../support/trailgauge.ts';

t.setTimeout(120_000);

const match = (ip: string) => `INFO ssh.failedlogin: match ["${ip}"]`;
const matchesOf = async (program: Program, name: string) => sumOf(await scrape(program, name), 'reaction_match_count');

t.test('two scrapers each see every event once, across a stop and a crash', async (t) => {
  const { start, append } = follower(t);
  let program = await start();
  await append(program, match('192.0.2.1'), match('192.0.2.1'), match('192.0.2.2'));
  t.equal(await matchesOf(program, 'a'), 3);
  t.equal(await matchesOf(program, 'a'), 0);
  t.equal(await matchesOf(program, 'b'), 3, 'a newcomer gets all since the beginning');
  await append(program, match('192.0.2.2'));
  t.equal(await matchesOf(program, 'a'), 1);

  t.equal(await program.stop(), 0);
  program = await start();
  t.equal(await matchesOf(program, 'a'), 0, 'a stop does not repeat');
  t.equal(await matchesOf(program, 'b'), 1, 'nor forget');

  await append(program, match('192.0.2.1'));
  t.equal(await matchesOf(program, 'b'), 1);
  await program.kill();
  program = await start();
  t.equal(await matchesOf(program, 'b'), 0, 'a crash does not repeat what was given');
  t.equal(await matchesOf(program, 'a'), 1, 'nor forget what was not');
});

t.test('a new series is shown at 0 to those who came before, then at its value', async (t) => {
  const { start, append } = follower(t);
  let program = await start();
  const shown = async (name: string, filter: string) =>
    (await scrape(program, name)).value('reaction_matches_total', { stream: 'new', filter });
  t.equal(await shown('a', 'one'), undefined);
  await append(program, 'INFO new.one: match ["x"]', 'INFO new.one: match ["y"]');
  t.equal(await shown('a', 'one'), 0);
  t.equal(await shown('newcomer', 'one'), 2, 'who is new sees all series for the first time');
  t.equal(await shown('a', 'one'), 2);
  await append(program, 'INFO new.two: match ["x"]');
  t.equal(await shown('a', 'two'), 0);
  // That it arrived is saved with the next answer at the latest.
  await shown('newcomer', 'two');
  await program.kill();
  program = await start();
  t.equal(await shown('a', 'two'), 1, 'a crash does not forget what was shown');
  t.equal(await shown('newcomer', 'two'), 0);
  t.equal(await shown('newcomer', 'two'), 1);
});

/** Lines whose matches make an answer larger than what the kernel takes while nobody reads. */
const MANY = Array.from(
  { length: 9_000 },
  (_, i) => `INFO nginx.browsers: match ["h", "${i}${'x'.repeat(1_000)}", "z"]`,
);

t.test('an answer that did not get out is given again', async (t) => {
  const { start, append } = follower(t);
  const program = await start();
  await matchesOf(program, 'a');
  for (const pause of [0, 1, 5, 20]) {
    await append(program, ...MANY);
    const socket = await ask(program, 'a');
    await sleep(pause);
    socket.destroy();
    t.equal(await allMatches(program, 'a'), MANY.length, 'the scraper left while the answer was made');
  }
  for (const wanted of [0, 1, 200_000]) {
    await append(program, ...MANY);
    const socket = await ask(program, 'a');
    await arrival(socket);
    for (let length = 0; length < wanted; ) {
      const chunk = socket.read() as Buffer | null;
      if (chunk) length += chunk.length;
      else await arrival(socket);
    }
    socket.destroy();
    t.equal(await allMatches(program, 'a'), MANY.length, 'the scraper left while it read');
  }
});

t.test('what hangs in one answer is kept from none of the others', async (t) => {
  const { start, append } = follower(t);
  const program = await start();
  t.equal(await matchesOf(program, 'a'), 0);
  t.equal(await matchesOf(program, 'b'), 0);
  await append(program, ...MANY);
  const hanging = await ask(program, 'a');
  await arrival(hanging);
  t.equal(await matchesOf(program, 'b'), MANY.length);
  hanging.destroy();
  t.equal(await allMatches(program, 'a'), MANY.length);
  t.equal(await matchesOf(program, 'b'), 0);
});

t.test('an answer that is under way when the program is stopped is given after the restart', async (t) => {
  const { start, append } = follower(t);
  let program = await start();
  t.equal(await matchesOf(program, 'a'), 0);
  await append(program, ...MANY);
  const hanging = await ask(program, 'a');
  await arrival(hanging);
  t.equal(await program.stop(), 0, 'nor does it keep the program');
  program = await start();
  t.equal(await matchesOf(program, 'a'), MANY.length);
});

t.test('no counter goes back when an earlier answer of the same scraper fails late', async (t) => {
  const { start, append } = follower(t);
  const program = await start();
  await matchesOf(program, 'a');
  await append(program, 'INFO new.one: match ["x"]', ...MANY);
  const hanging = await ask(program, 'a');
  await arrival(hanging);
  const shown = async () =>
    (await scrape(program, 'a')).value('reaction_matches_total', { stream: 'new', filter: 'one' });
  t.equal(await shown(), 0, 'nobody knows what becomes of the earlier one');
  t.equal(await shown(), 1);
  hanging.destroy();
  t.equal(await allMatches(program, 'a'), MANY.length + 1);
  t.equal(await shown(), 1);
});

t.test('there are 16 scrapers: the one not seen for longest makes room', async (t) => {
  const { start, append } = follower(t);
  const program = await start();
  await append(program, ...MANY);
  const hanging = await ask(program, 's0');
  await arrival(hanging);
  for (let i = 1; i <= 16; i++) t.equal(await matchesOf(program, `s${i}`), MANY.length);
  t.same(await scrapersOf(program), new Set(Array.from({ length: 16 }, (_, i) => `name s${i + 1}`)));
  // What it was given belongs to nobody else, though another has its place.
  hanging.destroy();
  await append(program, match('192.0.2.1'));
  await sleep(50);
  for (let i = 1; i <= 16; i++) t.equal(await matchesOf(program, `s${i}`), 1);
  t.equal(await matchesOf(program, 's0'), MANY.length + 1, 'it comes back as a newcomer');
  t.notOk((await scrapersOf(program)).has('name s1'));
});

/** What all collections give until nothing comes any more: an answer that failed is owed again only when that is known. */
async function allMatches(program: Program, name: string): Promise<number> {
  let sum = 0;
  await eventually('the rest', async () => (sum += await matchesOf(program, name)) >= MANY.length);
  return sum + (await matchesOf(program, name));
}

async function scrapersOf(program: Program): Promise<ReadonlySet<string>> {
  return new Set((await statusOf(program)).scrapers.map(({ id }) => id));
}

/** A connection on which the metrics were asked for. */
async function ask({ url }: Program, name: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  await new Promise<void>((resolve) => {
    socket.write(`GET /metrics?scraper=${name} HTTP/1.1\r\nHost: x\r\n\r\n`, () => resolve());
  });
  return socket;
}

/** Waits for bytes to read. */
async function arrival(socket: Socket): Promise<void> {
  if (socket.readableLength === 0) await once(socket, 'readable', { signal: AbortSignal.timeout(LIMIT_MS) });
}
