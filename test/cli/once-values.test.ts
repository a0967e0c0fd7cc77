import { appendFileSync } from 'node:fs';
import t from 'tap';
import { cli, file, folder } from '../support/cli.ts';
import { fixture } from '../support/paths.ts';
import { seeded, seedOf } from '../support/random.ts';
import { parseExposition, type Sample } from '../support/strict-exposition.ts';

const seed = seedOf(20_261_122);
const DISTINCT = 20_000;
const MATCHES = 200_000;
/** Values that come often: number `i` has a share of 1 / (20 (i + 1)) of the matches. */
const FREQUENT = 12;
/** What one value may be too high by, and above which share it is there for sure. */
const ONE_PERCENT = MATCHES / 100;

function addressOf(number: number): string {
  return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * Matches of 20,000 different addresses, some of them often, and how often each came. Every other of the frequent ones
 * comes when there are more than 10,000 addresses already: it has to take the place of another.
 */
function matches(): { readonly addresses: readonly string[]; readonly truth: ReadonlyMap<string, number> } {
  const random = seeded(seed);
  const early: number[] = [];
  const late: number[] = [];
  for (let value = 0; value < DISTINCT; value++) {
    const share = value < FREQUENT ? MATCHES / (20 * (value + 1)) : 1;
    for (let i = 0; i < share; i++) (value % 2 === 1 && value < FREQUENT ? late : early).push(value);
  }
  while (early.length + late.length < MATCHES) {
    const value = FREQUENT + Math.floor((DISTINCT - FREQUENT) * random.next() ** 2);
    (random.chance(0.6) ? early : late).push(value);
  }
  for (const numbers of [early, late]) {
    for (let i = numbers.length - 1; i > 0; i--) {
      const other = random.within(0, i);
      [numbers[i], numbers[other]] = [numbers[other]!, numbers[i]!];
    }
  }
  const numbers = [...early, ...late];
  const truth = new Map<string, number>();
  const addresses = numbers.map(addressOf);
  for (const address of addresses) truth.set(address, (truth.get(address) ?? 0) + 1);
  return { addresses, truth };
}

t.test(`the values of 20,000 addresses, without a time and of the last day (seed ${seed})`, async (t) => {
  const place = folder(t);
  const { addresses, truth } = matches();
  const log = file(place, 'r.log', '');
  const now = Date.now();
  const HOURS = 23;
  // Half of the lines tell their time; before all of them there are some that are too old to be counted.
  const old = `${new Date(now - 25 * 3_600_000).toISOString()} INFO ssh.failedlogin: match ["10.0.0.0"]\n`;
  appendFileSync(log, old.repeat(5_000));
  for (let begin = 0; begin < MATCHES; begin += 10_000) {
    const time = `${new Date(now - (1 - begin / MATCHES) * HOURS * 3_600_000).toISOString()} `;
    const lines = addresses
      .slice(begin, begin + 10_000)
      .map((address, i) => `${i % 2 === 0 ? time : ''}INFO ssh.failedlogin: match ["${address}"]\n`);
    appendFileSync(log, lines.join(''));
  }
  const reaction = {
    config: '/nowhere',
    command: fixture('reaction/reaction'),
    logs: { file: log },
    top: 30,
    export: { matches: { extra: false } },
  };
  const path = file(place, 'c.json', JSON.stringify({ sources: { reaction } }));
  const { code, stdout, stderr } = await cli(['-c', path, 'once']);
  t.equal(code, 0, stderr);
  const exposition = parseExposition(stdout);
  const filter = { stream: 'ssh', filter: 'failedlogin' };
  const labels = { ...filter, pattern: 'ip' };
  t.equal(exposition.value('reaction_matches_total', filter), MATCHES + 5_000);

  const samples: readonly Sample[] = exposition.families.get('reaction_pattern_top')?.samples ?? [];
  const shown = new Map(samples.map((sample) => [sample.labels.get('value') ?? '', sample.value]));
  const error = exposition.value('reaction_pattern_top_error', labels) ?? 0;
  t.equal(shown.size, 30);
  t.ok(error > 0 && error <= ONE_PERCENT, `an error of ${error}`);
  for (const [address, count] of shown) {
    const real = truth.get(address) ?? 0;
    if (count < real || count > real + error) t.fail(`${address} is ${real}, found ${count}, too high by ${error}`);
  }
  for (const [address, real] of truth) {
    if (real > ONE_PERCENT && !shown.has(address)) t.fail(`${address} is missing, which came ${real} times`);
  }
  const counts = [...shown.values()];
  t.same(
    counts,
    counts.toSorted((one, other) => other - one),
    'the most frequent first',
  );
  t.same(
    [...shown.keys()].slice(0, 5),
    Array.from({ length: 5 }, (_, value) => addressOf(value)),
  );

  const distinct = exposition.value('reaction_pattern_distinct', labels) ?? 0;
  t.ok(Number.isInteger(distinct));
  t.ok(Math.abs(distinct - DISTINCT) <= 0.03 * DISTINCT, `${distinct} different ones`);
  t.equal(exposition.value('trailgauge_series', { metric: 'reaction_pattern_top' }), 30);
  t.equal(exposition.value('trailgauge_series', { metric: 'reaction_pattern_top_error' }), 1);
  t.equal(exposition.value('trailgauge_series', { metric: 'reaction_pattern_distinct' }), 1);
  t.comment(`too high by ${error} at most, ${distinct} of ${truth.size} different ones`);
});
