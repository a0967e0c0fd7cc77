import t from 'tap';
import { Pages } from '../../../src/core/metrics/pages.ts';

t.test('each page is taken once, in the order in which they were noted', async (t) => {
  const pages = new Pages();
  t.notOk(pages.any);
  for (const page of [3, 100_000, 3, 0, 100_000]) pages.note(page);
  t.ok(pages.any);
  t.same(pages.take(), [3, 100_000, 0]);
  t.notOk(pages.any);
  t.same(pages.take(), []);
  pages.note(3);
  t.same(pages.take(), [3], 'it is noted again when it was taken');
});
