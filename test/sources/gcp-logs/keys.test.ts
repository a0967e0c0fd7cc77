import t from 'tap';
import { parseLogKey } from '../../../src/sources/gcp-logs/keys.ts';

t.test('keys', async (t) => {
  const hourly = { log: 'syslog', day: '2024-06-02', time: Date.UTC(2024, 5, 2, 8), kind: 'hourly', delivered: null };
  t.same(parseLogKey('syslog/2024/06/02/08:00:00_08:59:59_S0.json'), hourly);
  t.same(parseLogKey('syslog/2024/06/02/08:00:00_08:59:59_S12.json.gz'), hourly);
  t.same(parseLogKey('syslog/2024/06/02/08:00:00_08:59:59_A0:1717322400.json'), {
    ...hourly,
    kind: 'late',
    delivered: 1717322400_000,
  });
  const nested = parseLogKey('cloudaudit.googleapis.com/activity/2024/06/02/23:00:00_23:59:59_S0.json');
  t.match(nested, { log: 'cloudaudit.googleapis.com/activity', time: Date.UTC(2024, 5, 2, 23) });
});

t.test('other keys', async (t) => {
  const keys = [
    '',
    '2024/06/02/08:00:00_08:59:59_S0.json',
    'syslog/2024/06/02/',
    'syslog/2024/06/02/notes.txt',
    'syslog/2024/06/02/08:00:00_09:59:59_S0.json',
    'syslog/2024/06/02/24:00:00_24:59:59_S0.json',
    'syslog/2024/06/31/08:00:00_08:59:59_S0.json',
    'syslog/2024/6/2/08:00:00_08:59:59_S0.json',
    'syslog/2024/06/02/08:00:00_08:59:59_A0.json',
    'syslog/2024/06/02/08:00:00_08:59:59_S0:1717322400.json',
    'syslog/2024/06/02/08%3A00%3A00_08%3A59%3A59_S0.json',
  ];
  for (const key of keys) t.equal(parseLogKey(key), null, key);
});
