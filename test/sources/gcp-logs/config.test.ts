import t from 'tap';
import { gcpLogsConfig } from '../../../src/sources/gcp-logs/config.ts';

function faultsOf(section: unknown): readonly string[] {
  const { error } = gcpLogsConfig.safeParse(section);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

t.test('Cloud Storage is the default', async (t) => {
  const { endpoint, region, path_style: style } = gcpLogsConfig.parse({ bucket: 'b' });
  t.same({ endpoint, region, style }, { endpoint: 'https://storage.googleapis.com', region: 'auto', style: null });
  t.equal(gcpLogsConfig.parse({ bucket: 'b', endpoint: 'http://127.0.0.1:9000' }).endpoint, 'http://127.0.0.1:9000');
});

t.test('mistakes', async (t) => {
  const wish = 'wanted a LOG_ID such as syslog or cloudaudit.googleapis.com/activity, with / and not %2F';
  const cases: readonly (readonly [section: unknown, fault: string])[] = [
    [{}, 'bucket: found neither bucket nor directory, wanted one of them'],
    [{ bucket: 'b', directory: '/x' }, 'directory: found both bucket and directory, wanted one of them'],
    [{ bucket: 'b', access_key: 'GOOG1' }, 'secret_key: found access_key without secret_key, wanted both'],
    [{ bucket: 'b', logs: 'syslog' }, 'logs: wanted a list of LOG_IDs'],
    [{ bucket: 'b', logs: ['a%2Fb'] }, `logs.0: ${wish}`],
    [{ bucket: 'b', logs: ['ok', 'a/'] }, `logs.1: ${wish}`],
    [{ bucket: 'b', logs: [''] }, `logs.0: ${wish}`],
    [
      { bucket: 'b', endpoint: 'storage.googleapis.com' },
      'endpoint: wanted an address such as https://HOST[:PORT], without user, path and query',
    ],
  ];
  for (const [section, fault] of cases) t.same(faultsOf(section), [fault]);
});
