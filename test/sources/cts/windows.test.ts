import t from 'tap';
import { addPassed, expiredSeconds, nextWindow, withoutPassed } from '../../../src/sources/cts/windows.ts';

const HOUR = 3_600_000;
const NOW = 1_767_268_800_000;
const TIMES = { now: NOW, overlapMs: 300_000, retentionMs: 7 * 24 * HOUR };

t.test('an ordinary poll looks back by the overlap, and up to now', async (t) => {
  const at = { cursor: NOW - 60_000, floor: 0, passed: [] };
  t.same(nextWindow(at, TIMES), { window: { from: NOW - 360_000, to: NOW + 1 }, cursor: NOW, more: false });
});

t.test('nothing before the floor is asked for', async (t) => {
  const at = { cursor: NOW - 60_000, floor: NOW - 61_000, passed: [] };
  t.equal(nextWindow(at, TIMES).window.from, NOW - 61_000);
});

t.test('what was missed is read hour by hour, the oldest first, and leaves nothing out', async (t) => {
  let at = { cursor: NOW - 10 * HOUR, floor: 0, passed: [] };
  const windows = [];
  for (let more = true; more; ) {
    const next = nextWindow(at, TIMES);
    windows.push(next.window);
    t.ok(next.window.from <= at.cursor, 'begins at the cursor or before');
    t.ok(next.window.to - next.window.from <= HOUR + TIMES.overlapMs + 1, 'an hour and the overlap at most');
    t.equal(next.cursor, Math.min(next.window.to, NOW));
    at = { ...at, cursor: next.cursor };
    more = next.more;
  }
  t.equal(windows.length, 10);
  t.equal(at.cursor, NOW);
});

t.test('traces that the service keeps no longer are counted as gone', async (t) => {
  const { retentionMs } = TIMES;
  t.equal(expiredSeconds({ cursor: NOW - retentionMs - 90_000, floor: 0, passed: [] }, TIMES), 90);
  t.equal(expiredSeconds({ cursor: NOW - retentionMs, floor: 0, passed: [] }, TIMES), 0);
  const justNow = { cursor: NOW - retentionMs - 10_000, floor: 0, passed: [] };
  t.equal(expiredSeconds(justNow, TIMES), 0, 'what goes in these seconds is asked for');
  t.equal(nextWindow(justNow, TIMES).window.from, justNow.cursor);
  const at = { cursor: NOW - retentionMs, floor: 0, passed: [] };
  t.equal(nextWindow(at, TIMES).window.from, NOW - retentionMs, 'nothing older is asked for');
});

t.test('a cursor ahead of the clock asks for nothing', async (t) => {
  const { window, cursor, more } = nextWindow({ cursor: NOW + HOUR, floor: NOW + HOUR, passed: [] }, TIMES);
  t.ok(window.from >= window.to);
  t.same(withoutPassed(window, []), []);
  t.equal(cursor, NOW);
  t.notOk(more);
});

t.test('stretches that cannot be read are left out of later windows', async (t) => {
  const passed = [
    { from: 10, to: 20 },
    { from: 30, to: 40 },
  ];
  t.same(withoutPassed({ from: 0, to: 50 }, passed), [
    { from: 0, to: 10 },
    { from: 20, to: 30 },
    { from: 40, to: 50 },
  ]);
  t.same(withoutPassed({ from: 12, to: 35 }, passed), [{ from: 20, to: 30 }]);
  t.same(withoutPassed({ from: 12, to: 18 }, passed), []);
  t.same(withoutPassed({ from: 50, to: 60 }, passed), [{ from: 50, to: 60 }]);
  t.same(addPassed(passed, [{ from: 22, to: 24 }], 25), [{ from: 30, to: 40 }]);
  t.same(addPassed(passed, [{ from: 22, to: 24 }], 0), [passed[0], { from: 22, to: 24 }, passed[1]]);
});
