import { pack, unpack } from 'msgpackr';
import t from 'tap';
import type { SavedEntries } from '../../../src/core/source.ts';
import { SeenTraces, seenKey } from '../../../src/sources/cts/seen.ts';

t.test('an item is counted once', async (t) => {
  const seen = new SeenTraces();
  seen.beginWalk();
  t.notOk(seen.see(seenKey('a'), 1_000, true));
  t.ok(seen.see(seenKey('a'), 1_000, true));
  t.notOk(seen.see(seenKey('b'), 1_000, true));
});

t.test('keys tell ids apart', async (t) => {
  const ids = ['8a6852a1-e709-11f0-9c00-02f1a7c40000', '8A6852A1-E709-11F0-9C00-02F1A7C40000', '8a6852a1', '', 'ü'];
  t.equal(new Set(ids.map(seenKey)).size, ids.length);
  for (const id of ids) t.match(seenKey(id), /^[\0-\xff]{16}$/s);
});

t.test('an edge does not make a page look known', async (t) => {
  const seen = new SeenTraces();
  const key = seenKey('a');
  seen.beginWalk();
  t.ok(seen.isNewInWalk(key));
  seen.see(key, 1_000, false);
  t.ok(seen.isNewInWalk(key));
  seen.see(key, 1_000, true);
  t.notOk(seen.isNewInWalk(key));
  seen.beginWalk();
  t.ok(seen.isNewInWalk(key), 'in another walk it is new');
});

t.test('what no window can hold is forgotten, unless it came up lately', async (t) => {
  const seen = new SeenTraces();
  seen.beginWalk();
  seen.see(seenKey('old'), 1_000, true);
  seen.see(seenKey('young'), 9_000, true);
  seen.see(seenKey('another'), 1_000, true);
  seen.forget(5_000, 1);
  t.equal(seen.size, 3, 'all came up in that walk');
  seen.beginWalk();
  seen.see(seenKey('another'), 1_000, false);
  seen.forget(5_000, 2);
  t.ok(seen.see(seenKey('young'), 9_000, true));
  t.ok(seen.see(seenKey('another'), 1_000, true));
  t.equal(seen.size, 2);
});

t.test('survives restarts, and saves only what changed', async (t) => {
  const saved = new Map<string, unknown>();
  const save = (entries: SavedEntries) => {
    for (const [key, value] of entries) {
      if (value === undefined) saved.delete(key);
      else saved.set(key, unpack(pack(value)));
    }
  };
  const first = new SeenTraces();
  first.beginWalk();
  first.see(seenKey('a'), 1_000, true);
  first.see(seenKey('b'), 1_000, true);
  save(first.takeChanges());
  t.same(first.takeChanges(), []);
  first.see(seenKey('c'), 9_000, true);
  save(first.takeChanges());
  t.equal(saved.size, 2);

  const second = new SeenTraces();
  second.restore([...saved]);
  second.beginWalk();
  for (const id of ['a', 'b', 'c']) t.ok(second.see(seenKey(id), 1_000, true), `${id} is known`);
  t.same(second.takeChanges(), []);
  second.beginWalk();
  second.forget(5_000, 2);
  save(second.takeChanges());
  t.equal(saved.size, 1, 'the block of a and b is gone');
  second.see(seenKey('d'), 9_000, true);
  save(second.takeChanges());
  t.equal(saved.size, 2, 'numbers are not used twice');

  const third = new SeenTraces();
  third.restore([...saved]);
  third.beginWalk();
  t.ok(third.see(seenKey('c'), 9_000, true));
  t.ok(third.see(seenKey('d'), 9_000, true));
  t.notOk(third.see(seenKey('a'), 9_000, true));
});
