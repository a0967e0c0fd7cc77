import { readdirSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Event } from '../../src/core/event.ts';
import { type FakeCts, startFakeCts, strange } from '../support/fake-cts.ts';
import { ctsTrace, NOON } from '../support/fake-cts-client.ts';
import { fixture } from '../support/paths.ts';
import { parseExposition } from '../support/strict-exposition.ts';
import { home } from '../support/trailgauge.ts';

t.setTimeout(120_000);

const HOUR = 3_600_000;

/** What becomes of an answer: events, refused items, failed requests; and a part of each of its series. */
type Wanted = readonly [events: number, rejected: number, errors: number, ...series: string[]];

const OTHER_OPERATION = 'service="EVS",resource_type="evs",trace_type="ApiCall",rating="normal",operation="other"';

/** After an answer that cannot be read comes a good one, with one trace. */
const HOSTILE: Readonly<Record<string, Wanted>> = {
  'html-200.html': [1, 0, 1],
  'truncated.json': [1, 0, 1],
  'top-level-array.json': [1, 0, 1],
  'traces-object.json': [1, 0, 1],
  'error-with-200.json': [1, 0, 1],
  'bom.json': [2, 0, 0],
  'invalid-utf8.json': [1, 0, 0],
  'marker-number.json': [1, 0, 0],
  'marker-object.json': [1, 0, 0],
  'marker-loop.json': [2, 0, 0],
  'mixed-items.json': [2, 6, 0],
  'proto.json': [1, 0, 0, 'service="EVS",resource_type="evs",trace_type="ApiCall",rating="normal"'],
  'duplicate-keys.json': [1, 0, 0, 'operation="second"'],
  'deep.json': [1, 0, 0],
  'long-strings.json': [1, 0, 0, `${OTHER_OPERATION},user="other"`],
  'label-injection.json': [4, 0, 0, 'service="other"', 'resource_type="other"', 'user="other"', 'operation="other"'],
  'surrogates.json': [1, 0, 0, OTHER_OPERATION],
  'numbers.json': [1, 0, 0],
  'nul.json': [1, 0, 0, OTHER_OPERATION],
};

const PAGES: Readonly<Record<string, Wanted>> = {
  'v2.json': [2, 0, 0],
  'v3-count-text.json': [2, 0, 0, 'rating="warning"', 'rating="other"'],
  'v3-empty-no-meta.json': [0, 0, 0],
  'v3-empty-null.json': [0, 0, 0],
  'v3-empty-same-marker.json': [0, 0, 0],
  'v3-marker-on-last.json': [3, 0, 0],
  'v3-single.json': [3, 0, 0],
  'v3-traces-null.json': [0, 0, 0],
};

/** A service whose first answer is this one; the pages after it are empty. */
async function serviceOf(t: Test, folder: string, name: string): Promise<FakeCts> {
  const fake = await startFakeCts(t, { now: () => NOON + 3 * HOUR });
  if (folder === 'hostile') fake.add(ctsTrace(1, NOON + 80 * 60_000));
  const bytes = readFileSync(fixture(`cts/${folder}/${name}`));
  const repeats = name === 'marker-loop.json';
  const body = repeats ? (JSON.parse(bytes.toString()) as { readonly answer: unknown }).answer : bytes;
  let asked = 0;
  fake.chance = (kind, query) => {
    if (kind !== 'list_traces') return null;
    if (asked++ === 0 || repeats) return strange(body);
    return query?.next === null ? null : strange({ traces: [], meta_data: { count: 0, marker: null } });
  };
  return fake;
}

async function services(t: Test, folder: string, names: readonly string[]) {
  const fakes = new Map<string, FakeCts>();
  for (const name of names) fakes.set(name, await serviceOf(t, folder, name));
  const section = (name: string, fake: FakeCts) => ({
    endpoint: fake.url,
    region: 'eu-de',
    auth: fake.auth,
    labels: ['operation', 'user'],
    api: name === 'v2.json' ? 'v2' : 'auto',
  });
  const sources = Object.fromEntries([...fakes].map(([name, fake]) => [`cts/${titleOf(name)}`, section(name, fake)]));
  return { fakes, sources };
}

/** Labels as they stand in the exposition. */
function shown(labels: ReadonlyMap<string, string>): string {
  return [...labels].map(([name, value]) => `${name}="${value}"`).join(',');
}

function titleOf(name: string): string {
  return name.replace(/\.[a-z]+$/, '');
}

for (const [folder, wanted, since] of [
  ['hostile', HOSTILE, '2026-01-01T12:59:00Z'],
  ['pages', PAGES, '2026-01-01T12:00:00Z'],
] as const) {
  t.test(`answers of ${folder}, through the whole program`, async (t) => {
    const left = ['expect.json', 'walk.json'];
    const files = readdirSync(fixture(`cts/${folder}`)).filter((name) => !left.includes(name));
    t.same(files.toSorted(), Object.keys(wanted).toSorted());
    const { fakes, sources } = await services(t, folder, files);
    const range = ['--since', since, '--until', '2026-01-01T13:40:00Z'];
    const { code, stdout, stderr } = await home(t, { sources }).run('once', ...range);
    t.equal(code, 0, stderr);
    t.notMatch(stderr, /barrel|mara\.winter|Failed to read/, 'nothing of a body is told');
    const exposition = parseExposition(stdout);
    for (const [name, [events, rejected, errors, ...series]] of Object.entries(wanted)) {
      const source = { source: titleOf(name) };
      const total = (metric: string) => exposition.value(`trailgauge_source_${metric}_total`, source) ?? 0;
      const shape = { ...source, reason: 'shape' };
      t.same(
        [total('events'), exposition.value('trailgauge_source_rejected_total', shape), total('errors')],
        [events, rejected, errors],
        name,
      );
      t.equal(total('items'), total('events') + rejected + total('duplicates'), `${name}: items`);
      t.equal(exposition.value('cts_window_gap_seconds_total', source) ?? 0, 0, `${name}: no gap`);
      const all = exposition.families.get('cts_traces_total')?.samples ?? [];
      const samples = all.filter(({ labels }) => labels.get('source') === titleOf(name));
      t.equal(
        samples.reduce((sum, { value }) => sum + value, 0),
        events,
        `${name}: all are counted`,
      );
      for (const part of series)
        t.ok(
          samples.some(({ labels }) => shown(labels).includes(part)),
          `${name}: ${part}`,
        );
    }
    if (folder === 'pages') return;
    t.match(fakes.get('marker-number.json')?.queries, [{ next: null }, { next: '12345' }]);
    t.same(
      fakes.get('marker-loop.json')?.queries.map(({ next }) => next),
      [null, 'c600bcd2-e712-11f0-9c00-02f1a7c40000', null],
      'the second answer ends the walk; then the edge of the first is looked up',
    );
  });
}

t.test('what hostile answers make writers send is JSON', async (t) => {
  const names = ['surrogates.json', 'nul.json', 'deep.json', 'proto.json', 'long-strings.json', 'invalid-utf8.json'];
  const { sources } = await services(t, 'hostile', names);
  const range = ['--since', '2026-01-01T12:59:00Z', '--until', '2026-01-01T13:40:00Z'];
  const { code, stdout, stderr } = await home(t, { sources, writers: { stdout: {} } }).run('once', ...range);
  t.equal(code, 0, stderr);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  t.equal(lines.length, names.length);
  for (const line of lines) {
    const event = JSON.parse(line) as Event;
    t.ok(line.isWellFormed() && JSON.stringify(event).isWellFormed(), event.source);
  }
});
