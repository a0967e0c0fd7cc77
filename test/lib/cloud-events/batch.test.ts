import t from 'tap';
import { recorded } from '../../../src/lib/cloud-events/batch.ts';

const ONE = JSON.stringify({ specversion: '1.0', id: '1', source: '/x', type: 't' });
const TWO = ONE.replace('"1"', '"2"');

function found(text: string): readonly string[] {
  return [...recorded(Buffer.from(text))].map((one) => ('rejected' in one ? one.rejected : one.id));
}

t.test('a file of events', async (t) => {
  t.same(found(ONE), ['1']);
  t.same(found(JSON.stringify(JSON.parse(ONE), null, 2)), ['1'], 'over several lines');
  t.same(found(`[${ONE},${TWO},7]`), ['1', '2', 'shape'], 'a list');
  t.same(found(`${ONE}\n${TWO}\n`), ['1', '2'], 'one on each line');
  t.same(found(`${ONE}\r\n\n \n[${TWO},${ONE}]\n{\n7`), ['1', '2', '1', 'malformed', 'shape']);
  t.same(found(''), []);
  t.same(found('hello'), ['malformed']);
});
