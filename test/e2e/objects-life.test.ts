import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { auditSection, lyveLine, sumOf } from '../support/audit.ts';
import { fakeS3 } from '../support/fake-s3.ts';
import { get } from '../support/http.ts';
import { fixture } from '../support/paths.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SOURCE = { source: 's3-audit' };

t.setTimeout(60_000);

/** What the program shows. */
async function shown(program: Program): Promise<string> {
  return (await get(`${program.url}/metrics`)).text;
}

async function untilObjects(program: Program, result: string, count: number): Promise<string> {
  let text = '';
  await eventually(
    () => `${count} objects ${result}:\n${text}\n${program.log()}`,
    async () => {
      text = await shown(program);
      return sumOf(text, 's3_log_objects_total', { result }) === count;
    },
  );
  return text;
}

function records(text: string): number {
  return sumOf(text, 'trailgauge_source_items_total', SOURCE);
}

t.test('an object in all its states, at a store whose clock is years off', async (t) => {
  const s3 = await fakeS3(t);
  const offset = Date.UTC(2024, 0, 20, 12) - Date.now();
  s3.clock = () => Date.now() + offset;
  const file = (name: string) => readFileSync(fixture(`object-logs/gzip/${name}.gz`));
  const place = home(t, { sources: { 's3-audit': auditSection(s3, { interval: '20ms' }) } });
  const [grown, cut, old] = [
    'January-2024/S3-a-2024-01-20-11-00-00.gz',
    'January-2024/S3-b-2024-01-20-11-00-00.gz',
    'January-2024/S3-c-2024-01-20-09-00-00.gz',
  ];
  s3.put(old, file('one-member'), { modified: Date.UTC(2024, 0, 20, 10, 59) });
  s3.put(grown, file('grown-v1'), { modified: Date.UTC(2024, 0, 20, 11, 1) });
  let program = await place.start();
  t.equal(records(await untilObjects(program, 'done', 1)), 5, 'what came over an hour before the start is left out');
  s3.put(grown, file('grown-v2'));
  t.equal(records(await untilObjects(program, 'done', 2)), 12);
  await program.kill();
  program = await place.start();
  s3.put(grown, file('grown-v3-replaced'));
  t.equal(records(await untilObjects(program, 'changed', 1)), 12);
  t.match(program.log(), '"msg":"object is not counted"');

  s3.put(cut, file('truncated'));
  await untilObjects(program, 'quarantined', 1);
  const gets = s3.calls.get;
  t.equal(s3.log.filter(({ kind, key }) => kind === 'get' && key === cut).length, 6, 'tries');
  const status = JSON.parse((await get(`${program.url}/api/v1/status`)).text) as {
    readonly sources: readonly object[];
  };
  t.match(status.sources[0], {
    state: 'reading',
    remarks: [{ text: `quarantined: ${cut}: is no sound gzip: unexpected end of file`, bad: true }, { bad: false }],
  });
  await program.kill();
  program = await place.start();
  const { list } = s3.calls;
  await eventually('some looks', () => s3.calls.list > list + 20);
  t.equal(s3.calls.get, gets, 'it is not tried again');
  s3.put(cut, file('one-member'));
  t.equal(records(await untilObjects(program, 'done', 3)), 24);
  t.equal(sumOf(await shown(program), 's3_log_objects_total', { result: 'failed' }), 5);
  t.equal(await program.stop(), 0);
});

t.test('months come and go', async (t) => {
  const s3 = await fakeS3(t);
  let now = Date.UTC(2024, 0, 31, 23, 59);
  s3.clock = () => now;
  const place = home(t, { sources: { 's3-audit': auditSection(s3, { interval: '20ms' }) } });
  let program = await place.start();
  let count = 0;
  const put = async (key: string) => {
    s3.put(key, gzipSync(lyveLine(`record ${count++}`)));
    t.equal(records(await untilObjects(program, 'done', count)), count, key);
  };
  await put('January-2024/S3-a-2024-01-31-23-00-00.gz');
  // Its clock, or ours, may be ahead a little.
  await put('February-2024/S3-a-2024-02-01-00-00-00.gz');
  now += 2 * 60_000;
  await put('January-2024/S3-a-2024-01-31-22-00-00.gz');
  await put('February-2024/IAM-2024-02-01-00-00-00.gz');
  await put('S3-a-2024-01-31-22-00-00.gz');
  now += 27 * DAY;
  await put('January-2024/console-2024-01-31-22-00-00.gz');
  await program.kill();
  // While it is down, a month ends, and another one.
  now = Date.UTC(2024, 3, 2, 12);
  s3.put('March-2024/S3-a-2024-03-20-10-00-00.gz', gzipSync(lyveLine(`record ${count++}`)));
  s3.put('February-2024/S3-a-2024-02-29-23-00-00.gz', gzipSync(lyveLine(`record ${count++}`)));
  program = await place.start();
  t.equal(records(await untilObjects(program, 'done', count)), count);
  await put('April-2024/S3-a-2024-04-02-11-00-00.gz');
  const { list } = s3.calls;
  await eventually('some looks', () => s3.calls.list > list + 10);
  const folders = new Set(s3.log.slice(-8).map(({ prefix }) => prefix));
  t.same([...folders].toSorted(), ['', 'April-2024/', 'March-2024/'], 'the rest is closed');
  t.equal(s3.calls.get, count);
  t.equal(await program.stop(), 0);
});
