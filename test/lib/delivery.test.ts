import t from 'tap';
import { FUTURE_MS, lagSeconds, usableTime } from '../../src/lib/delivery.ts';

t.test('a time is used up to an hour after the arrival', async (t) => {
  const arrival = Date.UTC(2024, 4, 11, 9, 35);
  t.equal(usableTime(null, arrival), null);
  t.equal(usableTime(0, arrival), 0);
  t.equal(usableTime(arrival + FUTURE_MS, arrival), arrival + FUTURE_MS);
  t.equal(usableTime(arrival + FUTURE_MS + 1, arrival), null);
  t.equal(lagSeconds(arrival - 300_500, arrival), 300.5);
  t.equal(lagSeconds(arrival + 1, arrival), 0);
});
