import t from 'tap';
import { cloudTrailConfig } from '../../../src/sources/cloudtrail/config.ts';

function faultsOf(section: unknown): readonly string[] {
  const { error } = cloudTrailConfig.safeParse(section);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

t.test('defaults', async (t) => {
  t.match(cloudTrailConfig.parse({ bucket: 'b' }), {
    endpoint: null,
    region: 'us-east-1',
    prefix: '',
    interval: '1m',
    since: '1h',
    accounts: [],
    regions: [],
    organization: null,
    labels: [],
    digests: false,
  });
});

t.test('accounts may be written as numbers', async (t) => {
  const { accounts } = cloudTrailConfig.parse({ bucket: 'b', accounts: [111122223333, 12345678901, '012345678901'] });
  t.same(accounts, ['111122223333', '012345678901', '012345678901']);
});

t.test('mistakes', async (t) => {
  const account = 'wanted an account of 12 digits';
  const cases: readonly (readonly [section: unknown, fault: string])[] = [
    [{}, 'bucket: found neither bucket nor directory, wanted one of them'],
    [{ bucket: 'b', directory: '/x' }, 'directory: found both bucket and directory, wanted one of them'],
    [{ bucket: 'b', accounts: 111122223333 }, 'accounts: wanted a list of accounts'],
    [{ bucket: 'b', accounts: ['1'] }, `accounts.0: ${account}`],
    [{ bucket: 'b', accounts: [1111222233334] }, `accounts.0: ${account}`],
    [{ bucket: 'b', accounts: [-1] }, `accounts.0: ${account}`],
    [{ bucket: 'b', regions: ['EU'] }, 'regions.0: wanted a region such as eu-west-1'],
    [{ bucket: 'b', organization: 'demo' }, 'organization: wanted the folder of an organization such as o-abc123'],
    [{ bucket: 'b', labels: ['user'] }, 'labels.0: wanted one of event'],
    [{ bucket: 'b', digests: 'yes' }, 'digests: wanted true or false'],
    [{ bucket: 'b', prefix: '/x' }, 'prefix: wanted the beginning of keys, such as audit/, without a slash before it'],
  ];
  for (const [section, fault] of cases) t.same(faultsOf(section), [fault]);
});
