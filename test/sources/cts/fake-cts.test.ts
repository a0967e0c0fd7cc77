import t, { type Test } from 'tap';
import { type FakeCts, type FakeCtsOptions, startFakeCts } from '../../support/fake-cts.ts';
import { clientRig, ctsTrace, NOON } from '../../support/fake-cts-client.ts';

/** The fake is what much else is measured with, so it is worth tests of its own. */

interface Asked {
  readonly from?: number;
  readonly to?: number;
  readonly next?: string | null;
  readonly limit?: number;
}

interface Page {
  readonly numbers: readonly number[];
  readonly marker: string | null;
}

async function fakeWith(t: Test, options: FakeCtsOptions = {}): Promise<FakeCts> {
  const fake = await startFakeCts(t, { now: () => NOON, ...options });
  fake.identity.grant('T');
  return fake;
}

async function ask(
  fake: FakeCts,
  { from = NOON - 60_000, to = NOON + 1, next = null, limit = 200 }: Asked,
): Promise<Page> {
  const query = `trace_type=system&from=${from}&to=${to}&limit=${limit}${next === null ? '' : `&next=${next}`}`;
  const response = await fetch(`${fake.url}/v3/${fake.facts.projectId}/traces?${query}`, {
    headers: { 'x-auth-token': 'T' },
  });
  const { traces, meta_data: meta } = (await response.json()) as {
    traces: readonly { readonly trace_id: string }[];
    meta_data: { readonly marker: string | null };
  };
  return { numbers: traces.map(({ trace_id: id }) => Number.parseInt(id.slice(0, 8), 16)), marker: meta.marker };
}

function idOf(number: number): string {
  return String(ctsTrace(number, 0).trace_id);
}

t.test('newest first, both ends exclusive, in whatever order they came', async (t) => {
  const fake = await fakeWith(t);
  for (const ago of [3, 1, 4, 0, 2]) fake.add(ctsTrace(ago, NOON - ago));
  t.same((await ask(fake, {})).numbers, [0, 1, 2, 3, 4]);
  t.same((await ask(fake, { from: NOON - 3, to: NOON })).numbers, [1, 2]);
  t.same(await ask(fake, { limit: 2 }), { numbers: [0, 1], marker: idOf(1) });
  t.same(await ask(fake, { limit: 3, next: idOf(1) }), { numbers: [2, 3, 4], marker: null });
  fake.markerOnLast = true;
  t.same(await ask(fake, { limit: 3, next: idOf(1) }), { numbers: [2, 3, 4], marker: idOf(4) });
  t.same(await ask(fake, { next: idOf(4) }), { numbers: [], marker: idOf(4) });
});

t.test('pages by position, or by stamp', async (t) => {
  const fake = await fakeWith(t);
  for (let number = 0; number < 5; number++) fake.add(ctsTrace(number, NOON));
  fake.add(ctsTrace(9, NOON - 1));
  t.same((await ask(fake, { limit: 2 })).numbers, [4, 3]);
  t.same((await ask(fake, { next: idOf(3) })).numbers, [2, 1, 0, 9]);
  fake.nextBy = 'stamp';
  t.same((await ask(fake, { next: idOf(3) })).numbers, [9]);
});

t.test('either stamp is compared; a trace may be late', async (t) => {
  const fake = await fakeWith(t);
  fake.add({ ...ctsTrace(1, NOON - 50_000), record_time: NOON });
  fake.add(ctsTrace(2, NOON - 1_000), { visibleAt: NOON + 5 });
  t.same((await ask(fake, { from: NOON - 10_000 })).numbers, [1]);
  fake.now = () => NOON + 5;
  t.same((await ask(fake, { from: NOON - 10_000 })).numbers, [1, 2]);
  fake.store.by = 'time';
  t.same((await ask(fake, {})).numbers, [2, 1]);
  t.same((await ask(fake, { to: NOON - 10_000 })).numbers, [1]);
});

t.test('a hundred thousand traces', async (t) => {
  const fake = await fakeWith(t);
  for (let number = 0; number < 100_000; number++) fake.add(ctsTrace(number, NOON - 100_000 + number));
  fake.store.prepare();
  const rig = clientRig(t, { auth: fake.auth });
  let [seen, next]: [number, string | null] = [0, null];
  do {
    const page = await rig.client.list({ from: NOON - 200_000, to: NOON + 1, next }, rig.signal);
    if ('undecodable' in page) throw new Error(page.undecodable);
    seen += page.items.length;
    next = page.marker;
  } while (next !== null);
  t.same([seen, fake.count('list_traces'), rig.errors], [100_000, 500, []]);
});
