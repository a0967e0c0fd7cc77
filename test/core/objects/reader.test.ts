import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { brokenError } from '../../../src/lib/objects/broken.ts';
import { storeError } from '../../../src/lib/objects/store.ts';
import type { Layout } from '../../../src/sources/s3-audit/keys.ts';
import { planOf } from '../../../src/sources/s3-audit/plan.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { emptyDisk, LINES, type RigOptions, readerRig } from '../../support/reader-rig.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 4, 9, 12);

/** A store and a reader on one clock, which the test moves. */
function rigOf(layout: Layout, more: Partial<RigOptions> = {}) {
  const clock = { now: NOON };
  const now = () => clock.now;
  const store = memoryStore(now);
  const plan = planOf({ layout, prefix: '', now });
  const make = (again: Partial<RigOptions> = {}) => readerRig({ store, plan, now, ...more, ...again });
  return { clock, store, make, rig: make() };
}

/** `2026-05-09-11-00-00-name` for a time. */
function flat(time: number, name: string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace(/[T:]/g, '-')}-${name}`;
}

function dated(time: number, name: string): string {
  return `${new Date(time).toISOString().slice(0, 10).replaceAll('-', '/')}/${flat(time, name)}`;
}

const nothing = () => {};
const down = (text = 'the answer was 503') => storeError(text, { kind: 'store' });

t.test('each object once, also late ones with lower keys', async (t) => {
  for (const [layout, key] of [
    ['flat', flat],
    ['dated', dated],
  ] as const) {
    const { clock, store, rig, make } = rigOf(layout);
    store.put(key(NOON, 'b'), 'one\ntwo\n');
    await rig.run(
      nothing,
      () => store.put(key(NOON - 2 * HOUR, 'a'), 'three'),
      () => {
        store.put(key(NOON, 'a'), gzipSync('four\n'));
        clock.now += 23 * HOUR;
      },
      () => store.put(key(NOON + HOUR, 'a'), 'five\n'),
      nothing,
    );
    t.same(rig.disk.lines, ['one', 'two', 'three', 'four', 'five'], layout);
    t.equal(store.gets.length, 4, layout);
    const again = make({ disk: rig.disk });
    await again.run(nothing, nothing);
    t.equal(store.gets.length, 4, 'nothing is read again');
    t.equal(rig.disk.lines.length, 5);
  }
});

t.test('put there again: with more, with less, with other content', async (t) => {
  const { store, rig, make } = rigOf('flat');
  const key = flat(NOON, 'a');
  store.put(key, 'one\ntwo\n');
  await rig.run(
    () => store.put(key, gzipSync('one\ntwo\nthree\n')),
    () => store.put(key, 'one\ntwo\n'),
    () => store.put(key, 'one\ntwo\nfour\n'),
    () => store.put(key, 'one\ntwo\nthree\nfive'),
    () => store.put(key, 'one\ntwo\nthree\nfivefold\n'),
    () => store.put(key, 'one\ntwo\nthree\nfive\n'),
  );
  await make({ disk: rig.disk }).run(() => store.put(key, 'one\ntwo\nthree\nfive\nsix\n'), nothing);
  t.same(rig.disk.lines, ['one', 'two', 'three', 'five', 'six']);
  t.same(rig.disk.results, ['done', 'done', 'changed', 'changed', 'done', 'changed', 'done', 'done']);
});

t.test('what came before the beginning is left out, by the clock of the store', async (t) => {
  for (const skew of [0, 10 * DAY, -10 * DAY]) {
    for (const layout of ['flat', 'dated', 'lyve'] as const) {
      const { clock, store, rig, make } = rigOf(layout);
      store.clock = () => clock.now + skew;
      const put = (ago: number, body: string) => {
        const time = NOON + skew - ago;
        const month = new Date(time).toLocaleString('en', { month: 'long', timeZone: 'UTC' });
        const name = new Date(time).toISOString().slice(0, 19).replace(/[T:]/g, '-');
        const key =
          layout === 'lyve' ? `${month}-2026/S3-b-${name}.gz` : layout === 'flat' ? flat(time, 'a') : dated(time, 'a');
        store.put(key, body, { modified: time });
      };
      put(2 * HOUR, 'old');
      put(HOUR / 2, 'new');
      await rig.run(
        () => put(-HOUR, 'later'),
        () => {
          clock.now += 2 * DAY;
        },
        () => put(-2 * DAY, 'two days later'),
        nothing,
      );
      await make({ disk: rig.disk }).run(() => put(-2 * DAY - HOUR, 'after a restart'), nothing);
      t.same(rig.disk.lines, ['new', 'later', 'two days later', 'after a restart'], `${layout}, ${skew / DAY} days`);
    }
  }
});

t.test('a beginning that was told stays, whatever happens then', async (t) => {
  const { clock, store, make } = rigOf('flat');
  store.put(flat(NOON - HOUR, 'a'), 'one\n', { modified: NOON - HOUR + 60_000 });
  const first = make({ onBatch: () => true });
  await first.run(nothing);
  t.same(first.disk.lines, [], 'killed before it read anything');
  clock.now += 5 * 60_000;
  await make({ disk: first.disk }).run(nothing);
  t.same(first.disk.lines, ['one']);
});

t.test('a broken object is tried again, further and further apart, then no more', async (t) => {
  const { clock, store, rig } = rigOf('flat', { intervalMs: 1 });
  const key = flat(NOON, 'a');
  store.put(key, gzipSync('one\n').subarray(0, 20));
  store.put(flat(NOON, 'b'), 'two\n');
  const after = (ms: number) => () => {
    clock.now += ms;
  };
  await rig.run(
    after(0),
    after(1),
    after(1),
    after(1),
    after(4),
    after(8),
    after(16),
    after(HOUR),
    () => {
      t.same(rig.disk.results.toSorted(), ['done', ...new Array(5).fill('failed'), 'quarantined']);
      t.same(rig.disk.lines, ['two']);
      t.match(rig.reader.remarks(), [
        { text: `quarantined: ${key}: is no sound gzip: unexpected end of file`, bad: true },
      ]);
      store.put(key, gzipSync('one\n'));
    },
    nothing,
  );
  t.same(rig.disk.lines, ['two', 'one'], 'other content is tried at once');
  t.same(rig.reader.remarks(), []);
  t.ok(rig.problems.every((problem) => problem === null));
});

t.test('a broken object is tried again although its listing is closed', async (t) => {
  const { clock, store, rig, make } = rigOf('flat', { intervalMs: HOUR });
  clock.now = Date.UTC(2026, 4, 9, 23, 50);
  const [broken, gone] = [flat(clock.now, 'a'), flat(clock.now, 'b')];
  store.put(broken, gzipSync('one\n').subarray(0, 20));
  store.put(gone, gzipSync('two\n').subarray(0, 20));
  await rig.run(nothing);
  t.same(rig.disk.results, ['failed', 'failed']);
  clock.now += 40 * HOUR;
  store.onGet = (key) => (key === broken ? gzipSync('one\n') : undefined);
  const next = make({ disk: rig.disk, intervalMs: 1 });
  await next.run(() => {
    clock.now += 30 * HOUR;
    store.remove(gone);
  }, nothing);
  t.same(rig.disk.lines, ['one']);
  const { length } = store.lists;
  await next.run(nothing, nothing);
  t.ok(store.lists.length - length < 4, 'what is gone is not looked for any more');
});

t.test('objects that cannot be had hold up no others, and are never given up', async (t) => {
  const { store, rig } = rigOf('flat');
  const refused = [0, 1, 2, 3].map((index) => flat(NOON, `a${index}`));
  for (const key of refused) store.put(key, `${key}\n`);
  store.put(flat(NOON, 'z'), 'one\n');
  let isClosed = true;
  store.onGet = (key) => {
    if (isClosed && refused.includes(key)) throw down('not allowed');
    return undefined;
  };
  const running = rig.run(nothing);
  while (!rig.disk.lines.includes('one')) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(rig.disk.lines.length, 1);
  t.match(rig.problems, ['not allowed']);
  isClosed = false;
  await running;
  t.same(rig.disk.lines.toSorted(), [...refused, 'one']);
  t.equal(rig.problems.at(-1), null);
  t.same(new Set(rig.disk.results), new Set(['done']));
});

t.test('objects of listings before one that fails are read', async (t) => {
  const { store, rig } = rigOf('lyve');
  store.put('May-2026/S3-b-2026-05-09-11-00-00.gz', 'one\n');
  store.put('April-2026/S3-b-2026-04-30-11-00-00.gz', 'two\n', { modified: NOON });
  let isDown = true;
  store.onList = (prefix) => {
    if (isDown && prefix.startsWith('May')) throw down();
  };
  const running = rig.run(nothing);
  while (rig.disk.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(rig.disk.lines, ['two']);
  isDown = false;
  await running;
  t.same(rig.disk.lines, ['two', 'one']);
});

t.test('two listings that show the same objects', async (t) => {
  const { clock, store, rig } = rigOf('dated');
  const account = '111122223333/eu/logs';
  for (let hour = 0; hour < 6; hour++) {
    store.put(dated(NOON - (hour * HOUR) / 8, 'x'), `plain ${hour}\n`);
    store.put(`${account}/${dated(NOON - (hour * HOUR) / 8, 'x')}`, `account ${hour}\n`);
    store.put(`202612345678/eu/logs/${dated(NOON - (hour * HOUR) / 8, 'x')}`, `year ${hour}\n`);
  }
  // So many that the floor of the outer one is raised.
  for (let number = 0; number < 1_500; number++) {
    store.put(dated(NOON + number, String(number).padStart(6, '0')), '', { modified: NOON + number });
  }
  await rig.run(
    () => {
      clock.now += 26 * HOUR;
    },
    nothing,
    nothing,
    () => store.put(`${account}/${dated(clock.now, 'y')}`, 'late\n'),
    nothing,
  );
  const names = ['plain', 'account', 'year'];
  const wanted = names.flatMap((name) => [0, 1, 2, 3, 4, 5].map((hour) => `${name} ${hour}`));
  t.same(rig.disk.lines.toSorted(), [...wanted, 'late'].toSorted());
});

t.test('an object that is never what was listed is a problem, one that changed once is not', async (t) => {
  const { store, rig } = rigOf('flat', { follow: false });
  const key = flat(NOON, 'a');
  store.put(key, 'one\n');
  let gets = 0;
  store.onGet = () => {
    gets += 1;
    if (gets === 1) store.put(key, 'one\ntwo\n');
    if (gets === 3) store.remove(key);
    if (gets <= 2) throw storeError('it has changed', { kind: 'changed' });
    return undefined;
  };
  await rig.run(nothing);
  t.same(rig.disk.lines, []);
  t.same(rig.errors, [], 'each time it was another one, and then none');

  const other = rigOf('flat');
  other.store.put(key, 'one\n');
  other.store.onGet = () => {
    throw storeError('it has changed since it was listed', { kind: 'changed' });
  };
  const stop = new AbortController();
  const stuck = other.make({ signal: stop.signal });
  const running = stuck.run(nothing, nothing, nothing);
  while (stuck.errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  await running;
  t.match(stuck.errors, ['cannot read: it has changed since it was listed']);
});

t.test('a body that is longer than listed is not held in memory', async (t) => {
  const { store, make } = rigOf('flat');
  store.put(flat(NOON, 'a'), 'one\n');
  let given = 0;
  store.onGet = () =>
    (async function* () {
      for (; given < 1_000; given++) yield Buffer.alloc(65_536);
    })();
  const stop = new AbortController();
  const rig = make({ signal: stop.signal });
  const running = rig.run(nothing, nothing);
  while (rig.errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  await running;
  t.ok(given < 200, String(given));
  t.equal(store.open(), 0);
});

t.test('content that turns out to be broken before its end', async (t) => {
  const { store, rig } = rigOf('flat', {
    follow: false,
    format: {
      grows: false,
      open: () => ({
        given: 0,
        items: () => {
          throw brokenError('is no JSON');
        },
        end: () => [],
      }),
    },
  });
  store.put(flat(NOON, 'a'), 'x');
  await rig.run(nothing);
  t.same(rig.disk.lines, []);
  t.same(rig.disk.results, ['failed', 'quarantined']);
});

t.test('once: all there is, two tries, an end', async (t) => {
  const { store, rig } = rigOf('lyve', { follow: false });
  store.put('January-2020/S3-b-2020-01-01-00-00-00.gz', 'one\n', { modified: NOON - 1000 * DAY });
  store.put('January-2020/S3-b-2020-01-01-01-00-00.gz', gzipSync('two').subarray(0, 15));
  store.put('January-2020/notes.txt', 'three');
  store.put('elsewhere/S3-b-2020-01-01-01-00-00.gz', 'four');
  await rig.run(nothing);
  t.same(rig.disk.lines, ['one']);
  t.same(rig.disk.results.toSorted(), ['done', 'failed', 'ignored', 'quarantined']);
  t.equal(rig.disk.entries.size, 0, 'nothing is saved');
});

t.test(
  'once: a store that is of no use is given up after half a minute, however long it wants to be left',
  async (t) => {
    const { store, rig } = rigOf('lyve', { follow: false });
    const real = performance.now;
    const began = real.call(performance);
    t.teardown(() => (performance.now = real));
    let passed = 0;
    performance.now = () => began + passed;
    store.onList = () => {
      passed += 29_990;
      throw storeError('the answer was 503', { kind: 'store', waitMs: 3_600_000 });
    };
    await t.rejects(rig.run(nothing), { message: 'the answer was 503' });
    t.equal(store.lists.length, 2);
  },
);

t.test('killed at any batch, with whatever goes wrong: each line once', async () => {
  const trouble = fc.constantFrom('none', 'none', 'none', 'gone wrong', 'cut', 'slow');
  const moves = fc.array(fc.record({ kill: fc.integer({ min: 0, max: 6 }), trouble }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(moves, fc.constantFrom<Layout>('flat', 'dated'), async (moves, layout) => {
      const { clock, store, make } = rigOf(layout);
      const disk = emptyDisk();
      const wanted: string[] = [];
      const keyOf = layout === 'flat' ? flat : dated;
      let number = 0;
      const put = () => {
        const lines = [`${number} a`, `${number} b`, `${number} c`];
        wanted.push(...lines);
        // Some are late, and sort before those that are there.
        const key = keyOf(clock.now - (number % 3) * HOUR, `x${number++}`);
        const body = `${lines.join('\n')}\n`;
        store.put(key, number % 2 === 0 ? gzipSync(body) : body);
      };
      for (const { kill, trouble } of moves) {
        put();
        put();
        clock.now += HOUR;
        let batches = 0;
        let left = 1;
        store.onGet = (key) => {
          if (trouble === 'none' || left === 0) return undefined;
          left -= 1;
          if (trouble === 'gone wrong') return gzipSync(key).subarray(0, 15);
          return (async function* () {
            yield gzipSync(key).subarray(0, 15);
            if (trouble === 'cut') throw storeError('cut', { kind: 'gone' });
          })();
        };
        await make({ disk, onBatch: () => batches++ >= kill }).run(put, nothing, nothing, nothing);
      }
      store.onGet = () => undefined;
      const advance = () => {
        clock.now += 1_000;
      };
      await make({ disk }).run(...new Array<() => void>(12).fill(advance));
      const found = disk.lines.toSorted().join();
      if (found !== wanted.toSorted().join()) throw new Error(`found ${found}, wanted ${wanted.toSorted().join()}`);
      if (store.open() > 0) throw new Error('a body is left open');
    }),
    { numRuns: 60 },
  );
});

t.test('an abort ends it wherever it is, and leaves nothing open', async (t) => {
  for (let calls = 1; calls <= 12; calls++) {
    const { store, make } = rigOf('flat');
    for (let index = 0; index < 6; index++) store.put(flat(NOON, `a${index}`), gzipSync(`${index}\n`.repeat(50)));
    const large = Buffer.alloc(5_000_000, 'x\n');
    store.put(flat(NOON, 'b'), large);
    const stop = new AbortController();
    let count = 0;
    const tick = () => {
      count += 1;
      if (count === calls) stop.abort();
    };
    store.onList = tick;
    store.onGet = (key) => {
      tick();
      if (!key.endsWith('b')) return undefined;
      return (async function* () {
        for (let at = 0; at < large.length; at += 500_000) {
          tick();
          yield large.subarray(at, at + 500_000);
        }
      })();
    };
    const rig = make({ signal: stop.signal, intervalMs: 5 });
    await rig.run(nothing, nothing, nothing, nothing, nothing, nothing);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(store.open(), 0);
    t.same(rig.problems.filter(Boolean), []);
    const lines = new Set(rig.disk.lines);
    t.ok(lines.size <= 7);
  }
});

t.test('who stops listening early leaves nothing open', async (t) => {
  const large = [Buffer.alloc(5_000_000, 'x\n'), gzipSync(randomBytes(4_500_000))];
  for (const body of large) {
    const { store, make } = rigOf('flat');
    store.put(flat(NOON, 'b'), body);
    for (let index = 0; index < 6; index++) store.put(flat(NOON, `c${index}`), 'x\n');
    const rig = make({ onBatch: (aside) => aside === 'more' });
    await rig.run(nothing);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(store.open(), 0);
    t.same(rig.disk.lines, []);
  }
});

t.test('a clock that leaps, in the middle of a round', async (t) => {
  for (const leap of [2 * DAY, 40 * DAY, -40 * DAY]) {
    const { clock, store, rig } = rigOf('lyve');
    for (const month of ['April', 'May']) store.put(`${month}-2026/S3-b-2026-05-01-00-00-00.gz`, `${month}\n`);
    let isLeaping = false;
    store.onList = (prefix) => {
      if (!isLeaping || !prefix.startsWith('May')) return;
      isLeaping = false;
      clock.now += leap;
    };
    await rig.run(
      nothing,
      () => {
        isLeaping = true;
      },
      nothing,
      nothing,
      nothing,
    );
    t.same(rig.disk.lines.toSorted(), ['April', 'May'], String(leap));
  }
});

t.test('a clock that was ahead at the very first start', async (t) => {
  const { clock, store, rig } = rigOf('flat');
  let ahead = 10 * DAY;
  store.clock = () => clock.now + ahead;
  const put = (body: string) => store.put(flat(store.clock() ?? 0, body), `${body}\n`);
  put('one');
  await rig.run(
    () => {
      ahead = 0;
    },
    () => {
      clock.now += HOUR;
      put('two');
    },
    () => put('three'),
    nothing,
    nothing,
  );
  t.same(rig.disk.lines, ['one', 'two', 'three']);
});

t.test('entries only for what a listing can still show', async (t) => {
  const { clock, store, rig } = rigOf('flat', { format: LINES });
  const sizes: number[] = [];
  const steps = Array.from({ length: 60 }, () => () => {
    sizes.push(rig.disk.entries.size);
    clock.now += 3 * HOUR;
    for (let index = 0; index < 40; index++) store.put(flat(clock.now, `a${index}`), `${clock.now} ${index}\n`);
  });
  await rig.run(...steps, nothing);
  t.equal(rig.disk.lines.length, 60 * 40);
  t.ok(Math.max(...sizes) < 40 * 8 * 4, `${Math.max(...sizes)} entries, after ${60 * 40} objects`);
});
