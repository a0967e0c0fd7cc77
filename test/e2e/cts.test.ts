import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../src/core/event.ts';
import { CTS_METRICS } from '../../src/sources/cts/metrics.ts';
import { mainCounter } from '../../src/writers/main-counter.ts';
import { cli, folder, isForPeople } from '../support/cli.ts';
import { ctsError, type FakeCts, type FakeCtsOptions, startFakeCts, tooMany } from '../support/fake-cts.ts';
import { fixture } from '../support/paths.ts';
import { type Exposition, parseExposition, seriesKey } from '../support/strict-exposition.ts';
import { eventually, home } from '../support/trailgauge.ts';

t.setTimeout(120_000);

interface Case {
  readonly name: string;
  readonly trace: unknown;
  readonly rejected?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly optional_labels?: Readonly<Record<string, string>>;
  readonly limited?: boolean;
  readonly event?: { readonly id: string };
}

const { cases } = JSON.parse(readFileSync(fixture('cts/traces.json'), 'utf8')) as { cases: readonly Case[] };
/** What a service can hold: some cases are no objects. */
const held = cases.filter(({ trace }) => typeof trace === 'object' && trace !== null && !Array.isArray(trace));
const counted = held.filter(({ rejected }) => rejected === undefined);
/** What once does not tell: how soon traces can be seen; and there is no gap. */
const UNTOLD = new Set(['cts_trace_visibility_seconds', 'cts_window_gap_seconds_total']);
const NOON = Date.parse('2026-01-01T12:00:00Z');
const HOUR = 3_600_000;

/** A service with all cases in the hours before its clock. */
async function startService(t: Test, options: FakeCtsOptions = {}): Promise<FakeCts> {
  const began = Date.now();
  const fake = await startFakeCts(t, { now: () => NOON + 3 * HOUR + Date.now() - began, ...options });
  for (const [index, { trace }] of held.entries()) {
    const stamp = NOON + index * 60_000;
    fake.add(trace as Record<string, unknown>, { recordTime: stamp, time: stamp });
  }
  return fake;
}

function sectionOf(fake: FakeCts, more: Readonly<Record<string, unknown>> = {}) {
  return { endpoint: fake.url, region: 'eu-de', auth: fake.auth, ...more };
}

/** What `cts_traces_total` has to show, by series. */
function wantedSeries(optional: readonly string[], constant: Readonly<Record<string, string>> = {}) {
  const wanted: Record<string, number> = {};
  for (const { labels = {}, optional_labels: others = {} } of counted) {
    const asked = optional.map((name) => [name, others[name] ?? ''] as const);
    const key = seriesKey('cts_traces_total', [...Object.entries(labels), ...asked, ...Object.entries(constant)]);
    wanted[key] = (wanted[key] ?? 0) + 1;
  }
  return wanted;
}

function shownSeries(exposition: Exposition): Record<string, number> {
  const samples = exposition.families.get('cts_traces_total')?.samples ?? [];
  return Object.fromEntries(samples.map(({ key, value }) => [key, value]));
}

function sumOf(exposition: Exposition): number {
  return Object.values(shownSeries(exposition)).reduce((total, value) => total + value, 0);
}

t.test('once: the counts, whatever the version of the API and the way to sign in', async (t) => {
  const cases: readonly (readonly [string, FakeCtsOptions, (fake: FakeCts) => Record<string, unknown>])[] = [
    ['v3, password', {}, (fake) => sectionOf(fake)],
    ['v2, access key', { apis: ['v2.0'] }, (fake) => sectionOf(fake, { auth: fake.keyAuth })],
    ['v1, pages by time', { apis: ['v1.0'], nextBy: 'stamp', markerOnLast: true }, (fake) => sectionOf(fake)],
    ['the endpoint of the catalog', {}, (fake) => ({ auth: fake.auth })],
  ];
  await Promise.all(
    cases.map(async ([name, options, section]) => {
      const fake = await startService(t, options);
      const labels = ['operation', 'user'];
      const { code, stdout, stderr } = await home(t, { sources: { cts: { ...section(fake), labels } } }).run('once');
      t.equal(code, 0, stderr);
      const exposition = parseExposition(stdout);
      if (options.apis) t.equal(sumOf(exposition), counted.length, name);
      else t.same(shownSeries(exposition), wantedSeries(labels), name);
      const source = { source: 'cts' };
      t.equal(exposition.value('trailgauge_source_rejected_total', { ...source, reason: 'shape' }), 2);
      t.ok(isForPeople(stderr), stderr);
      if (options.apis) return;
      const limited = counted.filter(({ limited = false }) => limited).length;
      t.equal(exposition.value('trailgauge_series_limited_total', { metric: 'cts_traces_total' }), limited);
      for (const { name: metric, type } of Object.values(CTS_METRICS)) {
        if (/top|distinct/i.test(type) || UNTOLD.has(metric)) continue;
        const samples = exposition.families.get(metric)?.samples ?? [];
        t.ok(
          samples.some(({ value }) => value > 0),
          `${metric} is touched`,
        );
      }
    }),
  );
});

t.test('two sections, each with a label of its own', async (t) => {
  const fake = await startService(t);
  const sources = { 'cts/shop': sectionOf(fake), 'cts/main': sectionOf(fake, { labels: ['region', 'project'] }) };
  const { code, stdout, stderr } = await home(t, { sources }).run('once');
  t.equal(code, 0, stderr);
  const shown = shownSeries(parseExposition(stdout));
  for (const [key, value] of Object.entries(wantedSeries([], { source: 'shop' }))) t.equal(shown[key], value, key);
  t.match(stdout, /cts_traces_total\{[^}]*region="eu-de",project="eu-de_winery",source="main"/);
});

t.test('events: the same ids in each run, each once, under the name and labels of their counter', async (t) => {
  const fake = await startService(t);
  const place = home(t, { sources: { cts: sectionOf(fake, { labels: ['operation'] }) }, writers: { stdout: {} } });
  const ran = await Promise.all([place.run('once'), place.run('once')]);
  const [first = [], second = []] = ran.map(({ stdout }) =>
    stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : [])),
  );
  t.equal(first.length, counted.length);
  t.same(second.map(({ id }) => id).sort(), first.map(({ id }) => id).sort());
  const ids = new Set(first.map(({ id }) => id));
  for (const { name, event } of counted) if (event && !event.id.startsWith('(')) t.ok(ids.has(event.id), name);
  const counts: Record<string, number> = {};
  for (const event of first) {
    const { name, labels } = mainCounter(event);
    const key = seriesKey(`${name}_total`, labels);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  t.same(counts, wantedSeries(['operation']));
});

t.test('once and backfill: a range of times', async (t) => {
  const fake = await startService(t);
  const place = home(t, { sources: { cts: sectionOf(fake) } });
  const range = ['--since', '2026-01-01T12:10:00Z', '--until', '2026-01-01T12:20:00Z'];
  const once = await place.run('once', ...range);
  t.equal(once.code, 0, once.stderr);
  t.equal(sumOf(parseExposition(once.stdout)), 10);
  const past = await place.run('backfill', ...range);
  t.equal(past.code, 0, past.stderr);
  t.match(past.stdout, /^cts_traces_total\{.*\} [0-9]+(?:\.0)? 17672[0-9]+/m);
  t.match(past.stdout, /# EOF\n$/);
});

t.test('an outage of three hours, by the clock of the service, and a stop in the middle of a poll', async (t) => {
  let clock = NOON;
  const fake = await startFakeCts(t, { now: () => clock });
  const place = home(t, { sources: { cts: sectionOf(fake, { interval: '50ms', timeout: '60s' }) } });
  const trace = (number: number) => ({ trace_id: `t${number}`, trace_name: 'a', time: clock, record_time: clock });
  const first = await place.start();
  clock += 1_000;
  for (let i = 0; i < 10; i++) fake.add(trace(i));
  clock += 1_000;
  const events = async (url: string) =>
    parseExposition(await (await fetch(`${url}/metrics`)).text()).value('trailgauge_source_events_total', {
      source: 'cts',
    });
  await eventually('the first traces', async () => (await events(first.url)) === 10);
  fake.fail('list_traces', { kind: 'hang' });
  await eventually('a poll that hangs', async () => fake.waiting === 0);
  t.equal(await first.stop(), 0);

  for (let i = 10; i < 500; i++) {
    clock += Math.floor((3 * HOUR) / 490);
    fake.add(trace(i));
  }
  clock += 61_000;
  const second = await place.start();
  await eventually(
    () => `all that was missed:\n${second.log()} ${JSON.stringify(fake.queries.slice(-6))}`,
    async () => (await events(second.url)) === 500,
  );
  const polls = fake.queries.length;
  await eventually('further polls', async () => fake.queries.length > polls + 3);
  t.equal(await events(second.url), 500);
  t.equal(await second.stop(), 0);
});

t.test('explain takes an answer, a list, one trace, and lines', async (t) => {
  const [{ trace }] = counted as [Case];
  const page = { traces: [trace], meta_data: { count: 1, marker: null } };
  for (const input of [page, [trace], trace, { cts: trace }]) {
    const { code, stdout, stderr } = await cli(['explain', 'cts'], { stdin: JSON.stringify(input) });
    t.equal(code, 0, stderr);
    t.match(stdout, / {2}event: \{"id":"8a6852a1-/);
    t.match(
      stdout,
      / {2}cts_traces_total\{service="EVS",resource_type="evs",trace_type="ApiCall",rating="normal"\} \+1/,
    );
  }
  const lines = `${JSON.stringify(trace)}\nhello\n{}\n${JSON.stringify(trace)}\n`;
  const { stdout } = await cli(['explain', 'cts'], { stdin: lines });
  t.match(stdout, /rejected: malformed[\s\S]*rejected: shape[\s\S]*not counted: it repeats an earlier one/);
});

t.test('doctor, and once, say what is wrong', async (t) => {
  const fake = await startService(t);
  const { auth } = fake;
  const closed = await startService(t, { facts: { hasService: false } });
  const cases: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['wrong', sectionOf(fake, { auth: { ...auth, password: 'hushhush' } }), /password|refused/i],
    ['project', sectionOf(fake, { auth: { ...auth, project: 'eu-de_nowhere' } }), /eu-de_nowhere|project/],
    ['key', sectionOf(fake, { auth: { ...fake.keyAuth, sk: 'hushhush' } }), /key|refused|401/i],
    ['catalog', { auth: closed.auth }, /catalog/],
    ['cloud', { cloud: 'nowhere', clouds_file: join(fixture('cts'), 'clouds/clouds.yaml') }, /nowhere/],
    ['file', { cloud: 'x', clouds_file: '/nowhere/clouds.yaml' }, /\/nowhere\/clouds\.yaml/],
  ];
  for (const [name, section, wanted] of cases) {
    const place = home(t, { sources: { [`cts/${name}`]: section } });
    const [doctor, once] = [await place.run('doctor'), await place.run('once')];
    t.equal(doctor.code, 1, doctor.stderr);
    t.match(
      doctor.stdout.split('\n').find((line) => line.startsWith('FAIL')),
      wanted,
      name,
    );
    t.equal(once.code, 1, once.stdout);
    t.match(once.stderr, wanted, name);
    for (const { stdout, stderr } of [doctor, once]) {
      t.ok(isForPeople(stdout) && isForPeople(stderr), stderr);
      t.notMatch(`${stdout}${stderr}`, /hushhush/);
    }
  }
  const fine = await home(t, { sources: { cts: sectionOf(fake) } }).run('doctor');
  t.notMatch(fine.stdout, /FAIL cts: (?!.*clock)/, fine.stdout);
});

t.test('a wrong $CTS_FROM is an error of the configuration', async (t) => {
  const fake = await startService(t);
  const config = join(folder(t), 'c.json');
  writeFileSync(config, JSON.stringify({ sources: { cts: sectionOf(fake) } }));
  for (const CTS_FROM of ['0', '-1', 'x', '1e9']) {
    for (const command of ['start', 'once', 'test-config']) {
      const { code, stdout, stderr } = await cli(['-c', config, command], { env: { CTS_FROM } });
      t.equal(code, 2, `${command} with ${CTS_FROM}: ${stderr}`);
      t.match(stderr, /sources\.cts\.interval.*\$CTS_FROM: found ".*", wanted whole minutes/);
      t.equal(stdout, '');
    }
  }
});

t.test('nothing of what errors or traces hold is in the log', async (t) => {
  const fake = await startFakeCts(t);
  const stamp = Date.now();
  for (let i = 0; i < 5; i++) fake.add({ trace_id: `t${i}`, request: 'hush-request', time: stamp, record_time: stamp });
  fake.fail('list_traces', ctsError(500, 'CTS.0005', 'hush-body'), tooMany(0), ctsError(500, 'CTS.0005', 'hush-body'));
  const sources = { cts: sectionOf(fake, { interval: '50ms', since: '1h' }) };
  const program = await home(t, { sources, log: { level: 'trace' } }).start();
  const metrics = async () => (await fetch(`${program.url}/metrics`)).text();
  await eventually('the traces', async () => /trailgauge_source_events_total\{source="cts"\} 5/.test(await metrics()));
  t.match(program.log(), /CTS\.0005/);
  t.notMatch(program.log(), /hush/);
  t.notMatch(program.log(), new RegExp(fake.facts.password));
  const exposition = parseExposition(await metrics());
  t.equal(exposition.value('cts_api_requests_total', { operation: 'list_traces', code: '500' }), 2);
  t.equal(exposition.value('cts_api_requests_total', { operation: 'list_traces', code: '429' }), 1);
  t.equal(exposition.value('trailgauge_source_errors_total', { source: 'cts' }), 3);
  t.ok((exposition.value('cts_token_expiry_timestamp_seconds') ?? 0) > stamp / 1_000);
});
