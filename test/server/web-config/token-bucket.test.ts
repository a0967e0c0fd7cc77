import t from 'tap';
import { tokenBucket } from '../../../src/server/web-config/token-bucket.ts';

t.test('lets a burst through, then one for each interval, and saves up no more than a burst', async (t) => {
  let time = 5000;
  const take = tokenBucket({ intervalMs: 100, burst: 3 }, () => time);
  const passed = (tries: number) => Array.from({ length: tries }, take).filter(Boolean).length;
  t.equal(passed(10), 3);
  time += 99;
  t.equal(passed(10), 0);
  time += 1;
  t.equal(passed(10), 1);
  time += 250;
  t.equal(passed(10), 2);
  time += 50;
  t.equal(passed(10), 1);
  time += 3_600_000;
  t.equal(passed(10), 3);
});
