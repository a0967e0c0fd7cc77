import t from 'tap';
import { Ledger, type LedgerEntry } from '../../../src/core/objects/ledger.ts';
import type { StoredObject } from '../../../src/lib/objects/store.ts';

const OBJECT: StoredObject = { key: 'a', etag: 'e', size: 5, modified: 0 };
const DONE: LedgerEntry = {
  ...{ etag: 'e', size: 5, state: 'done', tries: 0, next: 0 },
  ...{ records: 2, length: 10, crc: 7, problem: '' },
};

function ledgerWith(entries: Readonly<Record<string, Partial<LedgerEntry>>>, now = 0): Ledger {
  const ledger = new Ledger({ isSaved: true });
  for (const [key, entry] of Object.entries(entries)) ledger.set(key, { ...DONE, ...entry }, now);
  return ledger;
}

t.test('whether there is something to do about an object', async (t) => {
  const cases: readonly (readonly [entry: Partial<LedgerEntry>, object: Partial<StoredObject>, settled: boolean])[] = [
    [{}, {}, true],
    [{}, { key: 'b' }, false],
    [{}, { etag: 'f' }, false],
    [{}, { size: 6 }, false],
    [{ state: 'changed' }, {}, true],
    [{ state: 'quarantined' }, {}, true],
    [{ state: 'quarantined' }, { etag: 'f' }, false],
    [{ state: 'ignored' }, { etag: 'f' }, true],
    [{ state: 'failed', next: 11 }, {}, true],
    [{ state: 'failed', next: 10 }, {}, false],
    [{ state: 'failed', next: 11 }, { size: 6 }, false],
  ];
  for (const [entry, object, settled] of cases) {
    const ledger = ledgerWith({ a: entry });
    t.equal(ledger.isSettled({ ...OBJECT, ...object }, 10), settled, JSON.stringify([entry, object]));
  }
});

t.test('changes, taken once, and taken back', async (t) => {
  const ledger = ledgerWith({ a: {}, ['__proto__']: { state: 'failed', tries: 3, next: 99, problem: 'is broken' } });
  ledger.raise('p/', 'p/x');
  const disk = new Map(ledger.takeChanges());
  t.equal(disk.size, 3);
  t.same(ledger.takeChanges(), []);
  const again = new Ledger({ isSaved: true });
  again.restore([...disk, ['seen 1', [0, Buffer.alloc(16)]]], 0);
  t.same(again.get('a'), DONE);
  t.match(again.get('__proto__'), { state: 'failed', tries: 3, next: 99, problem: 'is broken' });
  t.equal(again.get('p/x'), null);
  t.equal(again.floor('p/'), 'p/x');
  t.equal(again.floor('p'), null);
  t.same(
    [...again.inState('failed')].map(([key]) => key),
    ['__proto__'],
  );
  again.forget('a');
  again.forget('none');
  t.same(again.takeChanges(), [['object a', undefined]]);
  t.equal(again.size, 1);
});

t.test('what no listing shows is forgotten, but not what is to be tried again', async (t) => {
  const ledger = ledgerWith({ a: {}, b: { state: 'failed' }, c: { state: 'quarantined' }, d: { state: 'ignored' } });
  ledger.isSettled(OBJECT, 100);
  ledger.isSettled({ ...OBJECT, key: 'd', etag: 'other' }, 100);
  ledger.takeChanges();
  ledger.sweep(100);
  t.same(ledger.takeChanges(), [['object c', undefined]]);
  ledger.raise('', 'z');
  t.equal(ledger.size, 3, 'another listing may still show what is before a floor');
});

t.test('without saving nothing is kept to be saved', async (t) => {
  const ledger = new Ledger({ isSaved: false });
  ledger.set('a', DONE, 0);
  ledger.raise('', 'a');
  ledger.forget('a');
  t.same(ledger.takeChanges(), []);
});
