import fc from 'fast-check';
import t from 'tap';
import { isIamKey, monthFolder, monthOf, readKey } from '../../../src/sources/s3-audit/keys.ts';
import { rowsOf } from './counted.ts';

t.test('keys of Lyve Cloud', async (t) => {
  for (const [key = '', type = '', bucket = '', told = ''] of rowsOf('keys.tsv')) {
    const found = readKey('lyve', key, key.endsWith('/') ? 0 : 100);
    if (type === '-') {
      const kinds = { ignored: 'ignored', nothing: 'nothing', not: 'elsewhere' };
      t.equal(found.kind, kinds[told.split(' ')[0] as keyof typeof kinds], key);
      continue;
    }
    const time = told.startsWith('none') ? null : Date.parse(told);
    t.same(found, { kind: 'log', type, bucket, time, folder: key.slice(0, key.indexOf('/') + 1) }, key);
    t.equal(found.kind === 'log' && isIamKey(found), type === 'iam');
  }
});

t.test('what else lies in the folders of Lyve Cloud', async (t) => {
  const cases: readonly (readonly [key: string, kind: string])[] = [
    ['May-2024/x/S3-a-2024-05-01-00-00-00.gz', 'ignored'],
    ['May-2024/S3_2-a-2024-05-01-00-00-00.gz', 'log'],
    ['May-2024/3S-a-2024-05-01-00-00-00.gz', 'ignored'],
    ['May-2024/2024-05-01-00-00-00.gz', 'ignored'],
    ['May-2024/S3a2024-05-01-00-00-00.gz', 'ignored'],
    ['May-2024/-2024-05-01-00-00-00.gz', 'ignored'],
    ['May-2024/.gz', 'ignored'],
    ['S3.gz', 'ignored'],
    ['May-24/S3-2024-05-01-00-00-00.gz', 'elsewhere'],
    ['/S3-2024-05-01-00-00-00.gz', 'elsewhere'],
  ];
  for (const [key, kind] of cases) t.equal(readKey('lyve', key, 100).kind, kind, key);
  t.equal(readKey('lyve', 'May-2024/', 5).kind, 'ignored', 'a marker holds nothing');
  t.equal(readKey('lyve', '', 0).kind, 'nothing', 'the marker of the prefix itself');
});

t.test('a time that the folder does not tell', async (t) => {
  const cases: readonly (readonly [key: string, time: string | null])[] = [
    ['S3-2024-15-01-11-00-00.gz', '2024-01-15T11:00:00Z'],
    ['S3-2024-02-01-11-00-00.gz', '2024-02-01T11:00:00Z'],
    ['S3-2024-31-31-11-00-00.gz', null],
    ['S3-2024-01-01-24-00-00.gz', null],
    ['January-2023/S3-2024-01-01-00-00-00.gz', null],
    ['February-2024/S3-2024-02-29-00-00-00.gz', '2024-02-29T00:00:00Z'],
    ['February-2023/S3-2023-02-29-00-00-00.gz', null],
  ];
  for (const [key, time] of cases) {
    const found = readKey('lyve', key, 1);
    t.equal(found.kind === 'log' && found.time, time && Date.parse(time), key);
  }
});

t.test('keys in folders of days', async (t) => {
  const name = '2024-05-11-09-35-07-0123456789ABCDEF';
  const time = Date.UTC(2024, 4, 11, 9, 35, 7);
  const log = { kind: 'log', type: '', bucket: '' };
  const cases: readonly (readonly [key: string, reading: object])[] = [
    [`1/eu/pics/2024/05/11/${name}`, { ...log, time, folder: '1/eu/pics/2024/05/11/' }],
    ['2024/05/11/audit.json.gz', { ...log, time: null, folder: '2024/05/11/' }],
    ['a/2024/05/11/09/audit.json', { ...log, time: null, folder: 'a/2024/05/11/' }],
    ['2023/01/02/x/2024/05/11/a', { ...log, time: null, folder: '2023/01/02/x/2024/05/11/' }],
    ['2024/02/30/a', { kind: 'elsewhere' }],
    ['2024/5/11/a', { kind: 'elsewhere' }],
    ['2024/05/11', { kind: 'elsewhere' }],
    [name, { kind: 'elsewhere' }],
    ['2024/05/11/', { kind: 'nothing' }],
  ];
  for (const [key, reading] of cases) t.same(readKey('dated', key, key.endsWith('/') ? 0 : 1), reading, key);
});

t.test('keys without folders', async (t) => {
  const time = Date.UTC(2024, 4, 11, 9, 35, 7);
  const log = { kind: 'log', type: '', bucket: '', folder: '' };
  const cases: readonly (readonly [key: string, reading: object])[] = [
    ['2024-05-11-09-35-07-0123456789ABCDEF', { ...log, time }],
    ['2024-13-11-09-35-07-0123456789ABCDEF', { ...log, time: null }],
    ['2024-05-11-09-35-07-', { kind: 'ignored' }],
    ['2024-05-11-09-35-07', { kind: 'ignored' }],
    ['2024-05-11-09-35-07-a/b', { kind: 'ignored' }],
    ['notes.txt', { kind: 'ignored' }],
  ];
  for (const [key, reading] of cases) t.same(readKey('flat', key, 1), reading, key);
});

t.test('folders of months', async (t) => {
  t.equal(monthFolder(Date.UTC(2024, 1, 29, 23, 59)), 'February-2024');
  t.equal(monthOf('fEBRUARY-2024'), Date.UTC(2024, 1));
  for (const name of ['Dezember-2024', 'Feb-2024', 'February-24', 'February 2024', ''])
    t.equal(monthOf(name), null, name);
});

t.test('whatever a bucket is called, and whenever it is', async () => {
  const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,40}$/);
  const time = fc.integer({ min: 0, max: Date.UTC(2099, 11, 31) / 1000 }).map((seconds) => seconds * 1000);
  fc.assert(
    fc.property(bucket, time, (bucket, time) => {
      const text = new Date(time).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
      const found = readKey('lyve', `${monthFolder(time)}/S3-${bucket}-${text}.gz`, 1);
      return found.kind === 'log' && found.bucket === bucket && found.time === time && found.type === 's3';
    }),
  );
});
