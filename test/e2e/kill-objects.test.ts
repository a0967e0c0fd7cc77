import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { auditSection, lyveLine } from '../support/audit.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { type FakeCall, type FakeS3, type Fault, fakeS3 } from '../support/fake-s3.ts';
import { get } from '../support/http.ts';
import { type Random, seeded, seedOf } from '../support/random.ts';
import { type Exposition, parseExposition, seriesKey } from '../support/strict-exposition.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 7;
const seed = seedOf(20_261_122);
const HOUR = 3_600_000;
/** Lines of a large object, which comes slowly, and bytes that make it more than is fetched ahead. */
const LARGE = 1_600;
const PADDING = { 'User-Agent': 'x'.repeat(3_000) };
const ADDRESSES = ['192.0.2.1', '192.0.2.2', '2001:db8::1'] as const;
const ITEMS = 'trailgauge_source_items_total';

t.setTimeout(110_000);

/** Objects that are put while the program is killed, and what all of them come to. */
interface Tale {
  /** Series and their values, of all that was put so far. */
  readonly truth: ReadonlyMap<string, number>;
  /** Objects of the layout `flat`, each put once. */
  readonly objects: () => number;
  readonly records: () => number;
  /** Puts another one. */
  put(): void;
  /** Puts one of some megabytes. */
  putLarge(): void;
  /** Repairs what is broken. */
  repair(): void;
}

function tell(s3: FakeS3, random: Random): Tale {
  const truth = new Map<string, number>();
  const broken = new Map<string, string>();
  const growing = new Map<string, string>();
  let objects = 0;
  let records = 0;

  function add(name: string, labels: Readonly<Record<string, string>>, by: number): void {
    const key = seriesKey(name, Object.entries(labels));
    truth.set(key, (truth.get(key) ?? 0) + by);
  }

  function linesOf(source: string, count: number, headers: Readonly<Record<string, string>> = {}): string {
    const lines = Array.from({ length: count }, () => {
      const api = random.pick(['GetObject', 'PutObject', 'ListObjectsV2']);
      const [bucket, code] = [random.pick(['a', 'b']), random.pick([200, 404, 503])];
      const address = random.pick(ADDRESSES);
      add('s3_requests_total', { api, bucket, code: String(code), source }, 1);
      add('s3_address_top', { address, source }, 1);
      add('s3_account_top', { account: 'svc', source }, 1);
      truth.set(seriesKey('s3_accounts_distinct', [['source', source]]), 1);
      const more = { time: new Date().toISOString(), headers: { ...headers, 'X-Forwarded-For': address } };
      return lyveLine(`record ${records++}`, { api, bucket, code, ...more });
    });
    const text = `${lines.join('\n')}\n`;
    add(ITEMS, { source }, count);
    add('trailgauge_source_bytes_total', { source }, text.length);
    return text;
  }

  /** Some are late, and sort before those that were read. */
  function flatKey(): string {
    const time = new Date(Date.now() - random.within(0, 20) * HOUR).toISOString().slice(0, 19);
    return `flat/${time.replace(/[T:]/g, '-')}-${String(objects++).padStart(6, '0')}`;
  }

  function lyveKey(): string {
    const now = new Date();
    const month = now.toLocaleString('en', { month: 'long', timeZone: 'UTC' });
    const name = now.toISOString().slice(0, 19).replace(/[T:]/g, '-');
    return `lyve/${month}-${now.getUTCFullYear()}/S3-bucket-${records}-${name}.gz`;
  }

  return {
    truth,
    objects: () => objects,
    records: () => records,
    put: () => {
      const roll = random.next();
      if (roll < 0.6) {
        const text = linesOf('flat', random.within(0, 30));
        s3.put(flatKey(), random.chance(0.5) ? gzipSync(text) : text);
      } else if (roll < 0.75) {
        const [key, text] = [flatKey(), linesOf('flat', random.within(1, 30))];
        broken.set(key, text);
        s3.put(key, gzipSync(text).subarray(0, -random.within(1, 12)));
      } else {
        const known = random.chance(0.5) ? [...growing.keys()][random.within(0, growing.size - 1)] : undefined;
        const key = known ?? lyveKey();
        const text = (growing.get(key) ?? '') + linesOf('lyve', random.within(1, 20));
        growing.set(key, text);
        s3.put(key, gzipSync(text));
      }
    },
    putLarge: () => void s3.put(`${flatKey()}-large`, linesOf('flat', LARGE, PADDING)),
    repair: () => {
      for (const [key, text] of broken) s3.put(key, gzipSync(text));
      broken.clear();
    },
  };
}

function troubleOf(random: Random): (call: FakeCall) => Fault | null {
  return ({ kind, key }) => {
    const roll = random.next();
    if (kind === 'list') return roll < 0.02 ? { kind: 'error', status: 503, code: 'SlowDown' } : null;
    if (roll < 0.03) return { kind: 'error', status: 500, code: 'InternalError' };
    if (roll < 0.05) return { kind: 'reset' };
    if (roll < 0.07) return { kind: random.pick(['reset-body', 'cut']), at: random.within(0, 60) };
    return key.endsWith('large') ? { kind: 'slow', bytes: 500_000, everyMs: 40 } : null;
  };
}

/** Holds what it is shown against the truth: no counter goes back, and none is ahead. */
class Scraper {
  readonly #tale: Tale;
  readonly #shown = new Map<string, number>();
  answers = 0;

  constructor(tale: Tale) {
    this.#tale = tale;
  }

  take(text: string): Exposition {
    const exposition = parseExposition(text);
    for (const family of exposition.families.values()) {
      if (family.type !== 'counter' && family.type !== 'histogram') continue;
      for (const { key, value } of family.samples) {
        const before = this.#shown.get(key) ?? 0;
        if (value < before) throw new Error(`${key} went from ${before} to ${value}`);
        this.#shown.set(key, value);
      }
    }
    for (const { key, value, name } of exposition.samples.values()) {
      if (name !== 's3_requests_total' || value <= (this.#tale.truth.get(key) ?? 0)) continue;
      throw new Error(`${key}: found ${value}, of ${this.#tale.truth.get(key)} that there are`);
    }
    this.answers += 1;
    return exposition;
  }
}

t.test(`objects come, and the program is killed ${KILLS} times (seed ${seed})`, async (t) => {
  const s3 = await fakeS3(t);
  const random = seeded(seed);
  const bulk = await fakeBulk(t, { troubles: ['busy', 'cut', 'half busy', 'gone'] });
  const section = (prefix: string) =>
    auditSection(s3, { prefix, layout: prefix.slice(0, -1), interval: '150ms', top: 10, distinct: true });
  const place = home(t, {
    sources: { 's3-audit/flat': section('flat/'), 's3-audit/lyve': section('lyve/') },
    writers: { elasticsearch: { url: bulk.url } },
  });
  const tale = tell(s3, random);
  s3.before = troubleOf(seeded(seed + 1));

  let program: Program | null = await place.start();
  let isOver = false;
  const failure: { error?: unknown } = {};
  const scrapers = { a: new Scraper(tale), b: new Scraper(tale) };
  async function scrape(name: 'a' | 'b'): Promise<Exposition | null> {
    if (!program?.isListening()) return null;
    const answer = await get(`${program.url}/metrics?scraper=${name}`).catch(() => null);
    return answer?.status === 200 ? scrapers[name].take(answer.text) : null;
  }
  async function background(act: () => Promise<unknown>, mostMs: number): Promise<void> {
    try {
      for (; !isOver; await sleep(Math.random() * mostMs)) await act();
    } catch (error) {
      failure.error ??= error;
    }
  }
  const all = Promise.all([
    background(() => scrape('a'), 100),
    background(() => scrape('b'), 250),
    background(async () => tale.put(), 60),
  ]);
  for (let kill = 0; kill < KILLS; kill++) {
    if (kill % 4 === 0) tale.putLarge();
    if (kill % 2 === 0) await program?.ready();
    await sleep(random.within(0, kill % 2 === 0 ? 700 : 1_300));
    await program?.kill();
    program = null;
    if (random.chance(0.4)) tale.repair();
    program = await place.start({ until: 'spawned' });
  }
  isOver = true;
  await all;
  if (failure.error) throw failure.error;
  tale.repair();
  await program.ready();
  s3.before = null;

  /** What differs from the truth. */
  const differences = (exposition: Exposition) =>
    [...tale.truth].flatMap(([key, value]) => {
      const found = exposition.samples.get(key)?.value ?? 0;
      return found === value ? [] : [`${key}: found ${found}, wanted ${value}`];
    });
  let left: readonly string[] = [];
  await eventually(
    () => `all to be counted: ${left.join('; ')}\n${program?.log().slice(-3_000)}`,
    async () => {
      const shown = await scrape('a');
      if (shown) left = differences(shown);
      return shown !== null && left.length === 0;
    },
  );
  await eventually(
    () => `${tale.records()} documents, found ${bulk.documents.size}`,
    () => bulk.documents.size >= tale.records(),
  );
  const last = (await scrape('b'))!;
  t.same(differences(last), []);
  t.equal(last.value('s3_log_objects_total', { result: 'done', source: 'flat' }), tale.objects(), 'each object once');
  t.equal(last.value('s3_log_objects_total', { result: 'changed', source: 'lyve' }), 0);
  t.equal(last.value('trailgauge_source_rejected_total', { reason: 'malformed', source: 'flat' }), 0);
  t.equal(bulk.documents.size, tale.records(), 'each record once');
  t.same(bulk.problems, []);
  t.ok(scrapers.a.answers > KILLS && scrapers.b.answers > KILLS / 2);
  t.comment(`${tale.objects()} objects, ${tale.records()} records, ${scrapers.a.answers} answers`);

  const before = { ...s3.calls };
  t.equal(await program.stop(), 0);
  program = await place.start();
  await eventually('some more looks', () => s3.calls.list > before.list + 20);
  t.equal(s3.calls.get, before.get, 'nothing is read again');
  t.same(differences((await scrape('a'))!), []);
  t.equal(await program.stop(), 0);
  await eventually('connections to be gone', () => s3.connections() === 0);
});
