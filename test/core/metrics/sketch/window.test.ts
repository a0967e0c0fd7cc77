import t from 'tap';
import { type Piece, type Slice, SlidingWindow } from '../../../../src/core/metrics/sketch/window.ts';

/** A slice that keeps what it is given: one piece for each text. */
class Notes implements Slice {
  readonly all = new Set<string>();
  readonly #changed = new Map<string, unknown>();

  note(text: string): void {
    this.all.add(text);
    this.#changed.set(text, true);
  }

  forget(text: string): void {
    this.all.delete(text);
    this.#changed.set(text, undefined);
  }

  changes(): Piece[] {
    const changes = [...this.#changed];
    this.#changed.clear();
    return changes;
  }

  restore(key: string): void {
    this.all.add(key);
  }
}

const SHAPE = { windowMs: 40, slices: 4 };

function notes(): SlidingWindow<Notes> {
  return new SlidingWindow(SHAPE, () => new Notes());
}

function shown(window: SlidingWindow<Notes>, now: number): string {
  return window
    .shown(now)
    .map((slice) => [...slice.all].join(''))
    .join(' ');
}

t.test('events go to the slice of their time, late ones as well', async (t) => {
  const window = notes();
  window.at(100, 100)?.note('a');
  window.at(109, 109)?.note('b');
  window.at(110, 110)?.note('c');
  window.at(131, 131)?.note('d');
  window.at(105, 132)?.note('e');
  t.equal(shown(window, 132), 'abe c d');
  t.equal(window.tooOld, 0);
});

t.test('a slice is shown while all of it is in the window', async (t) => {
  const window = notes();
  window.at(100, 100)?.note('a');
  window.at(110, 110)?.note('b');
  t.equal(shown(window, 139), 'a b');
  t.equal(shown(window, 140), 'b');
  t.equal(window.at(109, 140), null);
  t.equal(shown(window, 149), 'b');
  t.equal(shown(window, 150), '');
});

t.test('what is too old is ignored and counted', async (t) => {
  const window = notes();
  for (const time of [99, 0, -1, -1e15, Number.NEGATIVE_INFINITY, Number.NaN]) t.equal(window.at(time, 135), null);
  t.equal(window.tooOld, 6);
  t.not(window.at(100, 135), null);
});

t.test('what is ahead counts as of now, and moves nothing', async (t) => {
  const window = notes();
  window.at(100, 100)?.note('a');
  for (const time of [120, 1e15, Number.POSITIVE_INFINITY]) window.at(time, 119)?.note('b');
  t.equal(shown(window, 119), 'a b');
  t.equal(window.tooOld, 0);
});

t.test('times before 1970', async (t) => {
  const window = notes();
  window.at(-1, 5)?.note('a');
  window.at(0, 5)?.note('b');
  t.equal(shown(window, 5), 'a b');
  const again = notes();
  again.restore(window.changes());
  t.equal(shown(again, 5), 'a b');
});

t.test('a clock that is set back', async (t) => {
  const window = notes();
  window.at(100, 100)?.note('a');
  window.at(110, 110)?.note('b');
  window.at(109, 109)?.note('c');
  t.equal(shown(window, 109), 'ac b', 'into the slice before: the window stays');
  window.at(119, 101)?.note('d');
  t.equal(shown(window, 110), 'ac bd');
  window.at(120, 120)?.note('e');
  window.changes();
  const again = notes();
  again.restore([...'acbde'].map((text) => [`10.${{ a: 10, c: 10, b: 11, d: 11 }[text] ?? 12}.${text}`, true]));
  t.equal(shown(again, 115), 'ac bd e', 'so it does for one that is restored');
  t.equal(shown(window, 109), 'ac', 'further: what is ahead is dropped');
  t.same(window.changes(), [
    ['10.11.b', undefined],
    ['10.11.d', undefined],
    ['10.12.e', undefined],
  ]);
  t.equal(shown(window, 120), 'ac');
  t.same(window.changes(), [], 'what is gone is told once');
  t.equal(shown(window, 1e12), '');
  t.equal(shown(window, 120), '');
});

t.test('a slice is told when it leaves', async (t) => {
  const left: number[] = [];
  let made = 0;
  const window = new SlidingWindow(SHAPE, () => {
    const number = made++;
    return { changes: () => [], restore: () => {}, leave: () => left.push(number) };
  });
  for (const time of [100, 110, 130]) window.at(time, time);
  t.same(left, []);
  window.advance(140);
  t.same(left, [0]);
  window.advance(10);
  t.same(left, [0, 1, 2]);
});

t.test('a generation for each set of slices', async (t) => {
  const window = notes();
  const generations = [100, 100, 109, 110, 110].map((now) => {
    window.at(now, now);
    return window.generation;
  });
  t.equal(new Set(generations).size, 2);
  window.at(105, 125);
  const before = window.generation;
  window.at(105, 125);
  t.equal(window.generation, before);
  window.at(99, 125);
  t.not(window.generation, before);
});

t.test('changes are told once', async (t) => {
  const window = notes();
  t.same(window.changes(), []);
  window.at(100, 100)?.note('a');
  window.at(110, 110)?.note('b');
  t.same(window.changes(), [
    ['10.10.a', true],
    ['10.11.b', true],
  ]);
  t.same(window.changes(), []);
  window.at(100, 110)?.forget('a');
  window.at(100, 110)?.forget('never saved');
  t.same(window.changes(), [['10.10.a', undefined]]);
  window.at(110, 140)?.note('c');
  t.same(window.changes(), [['10.11.c', true]]);
  window.advance(150);
  t.same(window.changes(), [
    ['10.11.b', undefined],
    ['10.11.c', undefined],
  ]);
  t.same(window.changes(), []);
});

t.test('a slice that was never saved leaves nothing behind', async (t) => {
  const window = notes();
  for (let now = 0; now < 10_000; now += 10) window.at(now, now)?.note('a');
  t.equal(window.changes().length, 4);
});

t.test('what was restored is not told again, and goes when its time is over', async (t) => {
  const window = notes();
  window.restore([
    ['10.12.b', true],
    ['10.11.a', true],
    ['10.3.x', true],
    ['20.6.y', true],
    ['what', true],
  ]);
  t.equal(shown(window, 140), 'a b');
  t.same(window.changes(), [
    ['what', undefined],
    ['20.6.y', undefined],
    ['10.3.x', undefined],
  ]);
  t.equal(shown(window, 150), 'b');
  t.same(window.changes(), [['10.11.a', undefined]]);
});

t.test('windows that cannot be', async (t) => {
  for (const [windowMs, slices] of [
    [0, 1],
    [10, 0],
    [10, 11],
    [10.5, 2],
    [10, 2.5],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
  ] as const) {
    t.throws(() => new SlidingWindow({ windowMs, slices }, () => new Notes()), {
      message: `found a window of ${windowMs} ms in ${slices} slices, wanted whole slices of 1 ms or more`,
    });
  }
});
