import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import t from 'tap';
import { follower, scrape, sumOf } from '../support/follower.ts';
import { seeded, seedOf } from '../support/random.ts';
import type { Exposition } from '../support/strict-exposition.ts';
import { eventually, type Program } from '../support/trailgauge.ts';

t.setTimeout(180_000);

const MIB = 1024 * 1024;
const MATCH = 'INFO ssh.failedlogin: match ["192.0.2.1"]\n';
const seed = seedOf(20_260_511);

/** The most memory that a process ever had, in MiB. */
function peakMemory({ pid }: Program): number {
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

function itemsOf(exposition: Exposition): number {
  return exposition.value('trailgauge_source_items_total', { source: 'reaction' }) ?? 0;
}

function matchesOf(exposition: Exposition): number | undefined {
  return exposition.value('reaction_matches_total', { stream: 'ssh', filter: 'failedlogin' });
}

function rejectedOf(exposition: Exposition, reason: string): number | undefined {
  return exposition.value('trailgauge_source_rejected_total', { source: 'reaction', reason });
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Waits until so many lines have been read. */
async function read(program: Program, items: number): Promise<Exposition> {
  let found = 0;
  await eventually(
    () => `${items} lines to be read, found ${found}:\n${program.log().slice(0, 5_000)}`,
    async () => {
      found = itemsOf(await scrape(program, 'test'));
      return found >= items;
    },
    120_000,
  );
  // What is new is shown at 0 at first.
  return scrape(program, 'test');
}

t.test('a line of 100 MB, also with a crash within it, counts once and takes no memory', async (t) => {
  const { start, log } = follower(t);
  let program = await start();
  appendFileSync(log, MATCH);
  await read(program, 1);
  const file = openSync(log, 'a');
  t.teardown(() => closeSync(file));
  for (let piece = 0; piece < 100; piece++) {
    writeSync(file, Buffer.alloc(MIB, piece === 0 ? 'INFO ssh.failedlogin: match ["' : 'x'));
    if (piece % 20 === 0) await scrape(program, 'test');
    if (piece !== 50) continue;
    await program.kill();
    program = await start();
  }
  appendFileSync(log, `\n${MATCH}${MATCH}`);
  const shown = await read(program, 4);
  t.equal(itemsOf(shown), 4);
  t.equal(rejectedOf(shown, 'too_long'), 1);
  t.equal(matchesOf(shown), 3);
  t.ok(peakMemory(program) < 300, `${peakMemory(program)} MiB`);
});

t.test('a million lines of garbage', async (t) => {
  const { start, log } = follower(t);
  const program = await start();
  const said = program.log().length;
  for (let part = 0; part < 10; part++) {
    const lines = Array.from({ length: 100_000 }, (_, i) =>
      i % 2 === 0 ? `thread '${part}.${i}' panicked\n` : `INFO something odd ${part * i}\n`,
    );
    appendFileSync(log, lines.join(''));
  }
  appendFileSync(log, MATCH);
  const shown = await read(program, 1_000_001);
  t.equal(itemsOf(shown), 1_000_001);
  t.equal(rejectedOf(shown, 'no_level'), 500_000);
  t.equal(rejectedOf(shown, 'unknown_line'), 500_000);
  t.equal(matchesOf(shown), 1);
  t.ok(peakMemory(program) < 300, `${peakMemory(program)} MiB`);
  t.ok(program.log().length - said < 10_000, 'the log is not flooded');
});

t.test(`binary noise (seed ${seed})`, async (t) => {
  const { start, log } = follower(t);
  const program = await start();
  const random = seeded(seed);
  let lines = 0;
  for (let part = 0; part < 8; part++) {
    const noise = Buffer.alloc(MIB);
    for (let i = 0; i < noise.length; i += 4) noise.writeInt32LE((random.next() * 2 ** 32) | 0, i);
    const piece = Buffer.concat([noise, Buffer.from(`\n${MATCH}`)]);
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines += 1;
    appendFileSync(log, piece);
  }
  const shown = await read(program, lines);
  t.equal(itemsOf(shown), lines);
  t.equal(matchesOf(shown), 8);
  t.ok(sumOf(shown, 'trailgauge_source_rejected_total') > lines * 0.9);
  t.ok(peakMemory(program) < 300, `${peakMemory(program)} MiB`);
});

t.test('names of any kind and length', async (t) => {
  const { start, log } = follower(t);
  let program = await start();
  const lengths = [100, 500, 700, 1_000, 2_000, 5_000, 100_000, 200_000];
  const odd = [
    '\0',
    'a\0b',
    '\x01',
    '\x02\x03',
    '"',
    '\\',
    '\ufffd',
    '__proto__',
    'constructor',
    '🦊',
    'a b',
    ':',
    '[',
    'entry',
  ];
  const names = [...lengths.map((length) => `${length}${'é'.repeat(length)}`), ...odd];
  const lines = names.flatMap((name) => [
    `INFO ${name}.f: match ["v"]`,
    `INFO s.${name}: match ["v"]`,
    `INFO s.f.${name}: run ["x" ${quoted(name)}]`,
    `ERROR stream ${name} exited: x`,
    `INFO stop command: run [${quoted(name)}]`,
  ]);
  appendFileSync(log, `${lines.join('\n')}\n${MATCH}`);
  const shown = await read(program, lines.length + 1);
  t.equal(sumOf(shown, 'reaction_matches_total'), 2 * names.length + 1);
  await program.kill();
  program = await start();
  const again = await scrape(program, 'test');
  const sums = ['matches', 'actions', 'action_failures', 'stream_events', 'commands'].map((metric) =>
    sumOf(again, `reaction_${metric}_total`),
  );
  t.same(sums, [2 * names.length + 1, names.length, 0, names.length, names.length]);
  // Each failure still finds the line that announced it.
  appendFileSync(log, names.map((name) => `ERROR s.f.${name}: run ["x" ${quoted(name)}]: exit code: 1\n`).join(''));
  const last = await read(program, lines.length + 1 + names.length);
  t.equal(sumOf(last, 'reaction_action_failures_total'), names.length);
  t.equal(sumOf(last, 'reaction_actions_total'), names.length);
});

t.test('matches with values of a megabyte', async (t) => {
  const { start, log } = follower(t);
  let program = await start();
  for (let i = 0; i < 400; i++) {
    appendFileSync(
      log,
      `INFO nginx.browsers: match ["host.example.org", "${i}${'y'.repeat(MIB - 100)}", "192.0.2.1"]\n`,
    );
    if (i % 50 === 0) await read(program, i + 1);
  }
  await read(program, 400);
  t.ok(peakMemory(program) < 300, `${peakMemory(program)} MiB`);
  await program.kill();
  program = await start();
  const shown = await scrape(program, 'test');
  t.equal(shown.value('reaction_matches_total', { stream: 'nginx', filter: 'browsers' }), 400);
  t.ok(peakMemory(program) < 300, `${peakMemory(program)} MiB after a crash`);
});
