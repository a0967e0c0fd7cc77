import t from 'tap';
import { parseTrailKey, trailFolder } from '../../../src/sources/cloudtrail/keys.ts';

const DAYS = 'AWSLogs/111122223333/CloudTrail/us-east-2/2024/05/11';
const FILE = '111122223333_CloudTrail_us-east-2_20240511T0935Z_aaaaAAAA00001111.json.gz';

t.test('keys of log files', async (t) => {
  const key = {
    prefix: '',
    organization: null,
    account: '111122223333',
    region: 'us-east-2',
    kind: 'log',
    day: '2024-05-11',
    time: Date.UTC(2024, 4, 11, 9, 35),
  };
  t.same(parseTrailKey(`${DAYS}/${FILE}`), key);
  t.same(parseTrailKey(`${DAYS}/${FILE.slice(0, -3)}`), key, 'unpacked');
  t.same(parseTrailKey(`a/b/${DAYS}/${FILE}`), { ...key, prefix: 'a/b/' });
  const nested = `AWSLogs/o-x/AWSLogs/o-demo123456/${DAYS.slice(8)}/${FILE}`;
  t.same(parseTrailKey(nested), { ...key, prefix: 'AWSLogs/o-x/', organization: 'o-demo123456' });
  t.equal(parseTrailKey(`${DAYS}/${FILE.replace('T0935', 'T2560')}`)?.time, null);
});

t.test('keys of digests', async (t) => {
  const folder = DAYS.replace('CloudTrail', 'CloudTrail-Digest');
  const key = { kind: 'digest', region: 'us-east-2', time: Date.UTC(2024, 4, 11, 10) };
  const name = '111122223333_CloudTrail-Digest_us-east-2';
  t.match(parseTrailKey(`${folder}/${name}_20240511T1000Z.json.gz`), key);
  t.match(parseTrailKey(`${folder}/${name}_my_trail_us-east-1_20240511T100000Z.json.gz`), key);
  t.equal(parseTrailKey(`${folder}/${FILE}`), null);
});

t.test('other keys', async (t) => {
  const keys = [
    '',
    '/',
    FILE,
    `${DAYS}/`,
    `${DAYS}/notes.txt`,
    `${DAYS}/${FILE}.bak`,
    `${DAYS.replace('AWSLogs/', '')}/${FILE}`,
    `${DAYS.replace('AWSLogs', 'AWSLogs/x-1')}/${FILE}`,
    `${DAYS.replace('111122223333', '1111')}/${FILE}`,
    `${DAYS.replace('CloudTrail', 'CloudTrail-Insight')}/${FILE}`,
    `${DAYS.replace('CloudTrail', 'Config')}/${FILE}`,
    `${DAYS.replace('us-east-2', 'US')}/${FILE}`,
    `${DAYS.replace('05/11', '02/30')}/${FILE}`,
    `${DAYS.replace('05/11', '5/11')}/${FILE}`,
    `${DAYS}/more/${FILE}`,
  ];
  for (const key of keys) t.equal(parseTrailKey(key), null, key);
});

t.test('the folder of a key', async (t) => {
  for (const start of ['', 'a/', 'a/AWSLogs/']) {
    for (const folder of [DAYS, DAYS.replace('AWSLogs/', 'AWSLogs/o-demo123456/')]) {
      const key = `${start}${folder}/${FILE}`;
      const parsed = parseTrailKey(key);
      t.equal(parsed && `${trailFolder(parsed)}2024/05/11/${FILE}`, key);
    }
  }
});
