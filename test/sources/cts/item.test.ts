import t from 'tap';
import { decodePage } from '../../../src/sources/cts/access/page.ts';
import { ctsItem, lastStamp } from '../../../src/sources/cts/item.ts';
import { splitInput } from '../../../src/sources/cts/split.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const AT = { at: NOON, visible: false };

t.test('until when an item may come up again', async (t) => {
  const last = (more: object) => lastStamp(ctsItem({ trace_id: 'a', ...more }, AT));
  t.equal(last({ time: NOON - 5_000, record_time: NOON - 4_000 }), NOON - 4_000);
  t.equal(last({ time: NOON - 5_000 }), NOON - 5_000);
  t.equal(last({}), NOON, 'without a stamp it counts from the answer');
  t.equal(last({ time: 99_999_999_999_999 }), NOON, 'nothing is kept for ever');
});

t.test('what is refused lies outside a window as traces do', async (t) => {
  const { stamps, found } = ctsItem({ time: NOON, record_time: String(NOON + 1) }, AT);
  t.same([found, stamps], [{ rejected: 'shape' }, [NOON, NOON + 1]]);
  t.same(ctsItem({ time: 1 }, AT).stamps, []);
  t.same(ctsItem([NOON], AT).stamps, []);
});

const LONG = ['12345678901234567891', '12345678901234567892', '9007199254740993'];

t.test('ids and markers that are long numbers stay exact', async (t) => {
  const traces = LONG.map((id) => `{"trace_id": ${id},"request":"{\\"trace_id\\":${id}}"}`).join();
  const text = `{"traces":[${traces}],"meta_data":{"marker" : ${LONG[0]}\n}}`;
  const page = decodePage({ text, truncated: false });
  t.match(page, { marker: LONG[0] });
  const items = 'items' in page ? page.items : [];
  t.match(
    items.map((item) => ctsItem(item, AT).found),
    LONG.map((id) => ({ id, raw: { request: `{"trace_id":${id}}` } })),
  );
  t.match(
    [...splitInput(Buffer.from(text))].map(({ item }) => ctsItem(item, AT).found),
    LONG.map((id) => ({ id })),
  );
  t.match(decodePage({ text: '{"traces":[],"meta_data":{"marker":1234567890123456.5}}', truncated: false }), {
    marker: '1234567890123456.5',
  });
  for (const wrong of ['0123456789012345678', '12345678901234567x', '12345678901234567 8']) {
    t.match(decodePage({ text: `{"traces":[{"trace_id":${wrong}}]}`, truncated: false }), { undecodable: /no JSON/ });
  }
  const spaces = `"marker"${' '.repeat(1_000_000)}`.repeat(5);
  t.match(decodePage({ text: `{"traces":[],${spaces}`, truncated: false }), { undecodable: /no JSON/ });
});

t.test('more items than anybody asked for', async (t) => {
  const text = `{"traces":[0${',0'.repeat(100_000)}]}`;
  t.match(decodePage({ text, truncated: false }), { undecodable: 'traces has 100001 items, wanted at most 100000' });
});
