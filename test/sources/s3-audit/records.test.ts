import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { FORMATS } from '../../../src/sources/s3-audit/record.ts';
import { readRecord } from '../../../src/sources/s3-audit/records.ts';
import { fixture } from '../../support/paths.ts';
import { LATER, linesOf, recordOf, refusalOf, rowsOf } from './counted.ts';

const LYVE = '{"auditEntry":{"api":{"name":"GetObject"}}}';
const MINIO = '{"api":{"name":"GetObject"}}';
const CONSOLE = '{"ConsoleEvent":{}}';
const ACCOUNT = '{"ApiEvent":{}}';
const OPS = '{"operation":"get_obj","http_status":"200"}';
const IAM = '{"organization":"t1","content":{"type":"s"}}';
const AWS = 'o b [06/Feb/2026:00:00:38 +0000] - - - OP - "-" 200 - 1 1 1 1';
const CEPH = 'o b [06/Feb/2026:00:00:38 +0000] - - - OP - "-" 200 - 1 1 - 1ms';
const UNTOLD = 'o b [06/Feb/2026:00:00:38 +0000] - - - OP - "-" 200 - 1 1 - -';

t.test('hostile lines', async (t) => {
  const lines = readFileSync(fixture('object-logs/hostile/lines.ndjson'), 'utf8').split('\n');
  for (const [number = '', outcome = ''] of rowsOf('hostile/outcomes.tsv')) {
    const line = lines[Number(number) - 1] ?? '';
    if (outcome.startsWith('nothing')) t.equal(refusalOf(line), null, number);
    else if (outcome.startsWith('rejected')) t.equal(`rejected ${refusalOf(line)}`, outcome, number);
    else t.equal(outcomeOf(line, outcome), outcome, number);
  }
});

/** What became of a line, in the words of the table. */
function outcomeOf(line: string, wanted: string): string {
  const { kind, api, bucket, code, durationNs, timeMs, requestBytes, responseBytes } = recordOf(line);
  if (kind === 'background') return kind;
  const shown = bucket === 'a'.repeat(255) ? 'a×255' : bucket || '(empty)';
  const seconds = durationNs === null ? 'none' : String(Number((durationNs / 1e9).toFixed(9)));
  const text = `${kind} api=${api} bucket=${shown} code=${code} seconds=${seconds}`;
  const bytes = requestBytes === null ? '' : ` rx=${requestBytes} tx=${responseBytes}`;
  const none = wanted.endsWith(' tx none') && responseBytes === null ? ' tx none' : '';
  const deep = wanted.endsWith(' nested 3000 deep') && line.includes('}'.repeat(3000)) ? ' nested 3000 deep' : '';
  return `${text}${timeMs === null ? ' no usable time' : ''}${bytes}${none}${deep}`;
}

t.test('the first form that fits', async (t) => {
  const cases: readonly (readonly [line: string, form: string])[] = [
    [LYVE, 'lyve'],
    [MINIO, 'minio'],
    [CONSOLE, 'console'],
    [ACCOUNT, 'account'],
    [OPS, 'ceph-ops'],
    [IAM, 'iam'],
    ['{"content":{},"created_date":"x"}', 'iam'],
    [AWS, 'aws-line'],
    [CEPH, 'ceph-line'],
    [UNTOLD, 'aws-line'],
    ['{"api":{"name":"a"},"auditEntry":{"api":{"name":"b"}}}', 'lyve'],
    ['{"api":{"name":"a"},"auditEntry":5}', 'minio'],
    ['{"api":{"name":"a"},"auditEntry":[]}', 'minio'],
    ['{"ConsoleEvent":{},"ApiEvent":{},"api":{}}', 'console'],
  ];
  for (const [line, form] of cases) t.equal(recordOf(line).form, form, line);
  for (const line of ['{"content":{}}', '{"organization":"t"}', '{"content":[],"organization":"t"}', '{"api":{}}']) {
    t.equal(refusalOf(line), 'shape', line);
  }
  for (const line of ['{"operation":"x","http_status":200}', '{"operation":5,"http_status":"200"}', '{"api":[]}']) {
    t.equal(refusalOf(line), 'shape', line);
  }
});

t.test('an IAM log holds IAM events, and what is clearly another thing', async (t) => {
  t.match(recordOf('{}', { iam: true }), { kind: 'iam', event: 'unknown' });
  t.match(recordOf('{"type":"f"}', { iam: true }), { kind: 'iam', event: 'f' });
  t.equal(recordOf(LYVE, { iam: true }).kind, 'request');
  t.equal(refusalOf('{"auditEntry":{"api":{}}}', { iam: true }), 'shape');
  t.equal(refusalOf('[]', { iam: true }), 'shape');
  t.equal(refusalOf('{}', { iam: true, format: 'minio' }), 'shape');
});

t.test('a fixed format refuses the others', async (t) => {
  const taken: Readonly<Record<string, readonly string[]>> = {
    auto: [LYVE, MINIO, CONSOLE, ACCOUNT, OPS, IAM, AWS, CEPH, UNTOLD],
    lyve: [LYVE, CONSOLE, ACCOUNT, IAM],
    minio: [MINIO],
    'aws-access-log': [AWS, UNTOLD],
    ceph: [OPS, CEPH, UNTOLD],
  };
  for (const format of FORMATS) {
    for (const line of taken.auto ?? []) {
      if (taken[format]?.includes(line)) t.ok(recordOf(line, { format }), `${format} ${line}`);
      else t.equal(refusalOf(line, { format }), 'shape', `${format} ${line}`);
    }
    t.equal(refusalOf('plain words', { format }), 'malformed');
    t.equal(refusalOf('{"a":', { format }), 'malformed');
    t.equal(refusalOf('5', { format }), 'shape');
    t.equal(refusalOf(' \t\r', { format }), null);
  }
});

t.test('brackets and commas around the stream of Ceph', async (t) => {
  for (const line of [`[${OPS},`, `${OPS},`, `[${OPS}`, `${OPS}, `, ` ${OPS}\r`, `\ufeff${OPS}`]) {
    t.equal(recordOf(line).form, 'ceph-ops', line);
    t.equal(recordOf(line).text, line);
  }
  for (const line of ['[', '[,', ' [ ']) t.equal(refusalOf(line), null, line);
  for (const line of ['[]', '[5]', `[${OPS}]`, `[${OPS}],`]) t.equal(refusalOf(line), 'shape', line);
  for (const line of [']', ',', '[{', '[x', `${OPS}]`]) t.equal(refusalOf(line), 'malformed', line);
  t.equal(refusalOf(`${LYVE},`, { format: 'lyve' }), 'malformed');
});

t.test('records of the ops log', async (t) => {
  t.match(recordOf('{"operation":"put_obj","http_status":"201","total_time":0,"bucket":"-","bytes_sent":"7"}'), {
    ...{ kind: 'request', api: 'put_obj', code: '201', durationNs: 0, bucket: '', ttfbNs: null },
    ...{ responseBytes: 7, requestBytes: null, timeMs: null },
  });
  for (const time of ['"x"', '-1', '1.5', 'null', '""']) {
    t.equal(recordOf(`{"operation":"a","http_status":"200","total_time":${time}}`).durationNs, null, time);
  }
});

t.test('console and account events', async (t) => {
  const outcomes: readonly (readonly [code: unknown, outcome: string])[] = [
    ...([
      [0, 'ok'],
      ['0', 'ok'],
      [100, 'ok'],
      [200, 'ok'],
      [399, 'ok'],
      ['204', 'ok'],
    ] as const),
    ...([
      [7, 'denied'],
      [16, 'denied'],
      [401, 'denied'],
      ['403', 'denied'],
    ] as const),
    ...([
      [1, 'failed'],
      [99, 'failed'],
      [404, 'failed'],
      [500, 'failed'],
      ['x', 'failed'],
      [-1, 'failed'],
    ] as const),
    ...([
      [null, 'unknown'],
      ['', 'unknown'],
      [undefined, 'unknown'],
    ] as const),
  ];
  for (const [StatusCode, outcome] of outcomes) {
    const line = JSON.stringify({ ConsoleEvent: { Eventname: 'create-bucket', StatusCode } });
    t.match(recordOf(line), { kind: 'console', event: 'create-bucket', outcome }, line);
    const account = JSON.stringify({ ApiEvent: { EventName: 'a b/c', Response: { ResponseCode: StatusCode } } });
    t.match(recordOf(account), { kind: 'console', event: 'a b/c', outcome }, account);
  }
  t.match(recordOf('{"ConsoleEvent":{"Eventname":"ü"}}'), { event: 'other', outcome: 'unknown', timeMs: null });
  t.match(recordOf('{"ApiEvent":{"Request":5,"Response":[]}}'), { event: 'other', outcome: 'unknown' });
  t.equal(
    recordOf('{"ApiEvent":{"Request":{"RequestTime":"2024-01-31T23:22:00Z"}}}').timeMs,
    Date.UTC(2024, 0, 31, 23, 22),
  );
});

t.test('IAM events wherever their fields stand', async (t) => {
  const cases: readonly (readonly [record: object, event: string])[] = [
    [{ content: { type: 's' }, type: 'x' }, 's'],
    [{ content: { type: '' }, type: 'x' }, 'x'],
    [{ content: {}, event: 'e' }, 'e'],
    [{ content: { type: 5 } }, 'other'],
    [{ content: {} }, 'unknown'],
  ];
  for (const [record, event] of cases) {
    t.equal(recordOf(JSON.stringify({ organization: 'o', ...record })).event, event, JSON.stringify(record));
  }
  const dated = { organization: 'o', created_date: '2024-01-02T00:00:00Z', content: { date: '2024-01-01T00:00:00Z' } };
  t.equal(recordOf(JSON.stringify(dated)).timeMs, Date.UTC(2024, 0, 1));
  t.equal(recordOf(JSON.stringify({ ...dated, content: {} })).timeMs, Date.UTC(2024, 0, 2));
});

t.test('no line makes it throw', async () => {
  const json = fc.json({ maxDepth: 3 });
  const pieces = fc.constantFrom(
    'auditEntry',
    'ConsoleEvent',
    'ApiEvent',
    'api',
    'content',
    'organization',
    'operation',
  );
  const shaped = fc.dictionary(pieces, fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(json, shaped, fc.string()), fc.constantFrom(...FORMATS), fc.boolean(), (text, format, iam) => {
      const found = readRecord(text, { ...LATER, format, iam });
      return found !== null || text.trim() === '' || /^\[,?$/.test(text.trim());
    }),
  );
});

t.test('a megabyte in one line', async (t) => {
  const room = 1_048_576 - LYVE.length - 9;
  const line = LYVE.replace('{"audit', `{"pad":"${'x'.repeat(room)}","audit`);
  t.equal(line.length, 1_048_576);
  t.equal(recordOf(line).api, 'GetObject');
  t.equal(linesOf(line).length, 1);
});
