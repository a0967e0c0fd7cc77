import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import t from 'tap';
import { createExclusion } from '../../../src/sources/s3-audit/exclude.ts';
import { PartialReader } from '../../../src/sources/s3-audit/partial.ts';
import { readRecord } from '../../../src/sources/s3-audit/records.ts';
import { fixture } from '../../support/paths.ts';
import { LATER, linesOf } from './counted.ts';

const EXCLUDE = { own: true, buckets: [], accounts: ['backup'], apis: ['HeadBucket'] };
const isExcluded = createExclusion(EXCLUDE, { bucket: 'audit-logs', accessKey: 'test' });

/** What metrics see of a line. */
function seen(found: ReturnType<typeof readRecord>): unknown {
  if (found === null || 'rejected' in found) return found;
  const { raw: _, text: __, ...rest } = found;
  return { ...rest, excluded: isExcluded(found) };
}

function entry(more: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    auditEntry: {
      api: {
        bucket: 'invoices',
        name: 'GetObject',
        statusCode: 200,
        timeToFirstByte: '100ns',
        timeToResponse: '200ns',
      },
      remotehost: '192.0.2.1',
      requestHeader: { Accept: '*/*', 'Content-Length': '12', ...headers },
      requestID: '17',
      responseHeader: { ETag: '"a"', 'Content-Length': '4096' },
      time: '2024-01-31T23:20:41.102934812Z',
      version: '1',
      ...more,
    },
    serviceAccountCreatorId: 'kim@example.com',
    serviceAccountName: 'backup',
  });
}

const LINES = [
  ...['minio/epochs.ndjson', 'minio/real.ndjson', 'hostile/lines.ndjson', 'access-log/ceph-ops.ndjson'].flatMap(
    (name) => linesOf(readFileSync(fixture(`object-logs/${name}`), 'utf8')),
  ),
  entry(),
  entry({ time: 'never' }),
  entry({ requestHeader: undefined }),
  entry({}, { 'content-length': '9' }),
  entry({}, { 'Content-Length': 'x' }),
  entry({}, { 'Content-Length': '\\' }),
  entry({}, { Nested: { a: 1 } }),
  entry({ trigger: 'ilm:expiry' }),
  entry({ accessKey: 'test' }),
  entry({ api: { name: '', statusCode: 200 } }),
  entry({ api: 'GetObject' }),
];

t.test('metrics see of each line what they see of it when it is read whole', async (t) => {
  const reader = new PartialReader();
  for (const round of [1, 2, 3]) {
    for (const line of LINES) {
      t.same(seen(reader.read(line, LATER)), seen(readRecord(line, LATER)), `${round}: ${line.slice(0, 100)}`);
    }
  }
});

t.test('the same of lines with a mistake', async (t) => {
  const reader = new PartialReader();
  for (const line of LINES) reader.read(line, LATER);
  const edit = fc.constantFrom('', '"', '\\', '{', '}', ',', ':', '0', '\t', 'é');
  fc.assert(
    fc.property(fc.nat(), fc.nat(), edit, fc.boolean(), (which, place, more, instead) => {
      const line = LINES[which % LINES.length]!;
      const at = place % (line.length + 1);
      const wrong = line.slice(0, at) + more + line.slice(at + (instead ? 1 : 0));
      const [found, wanted] = [reader.read(wrong, LATER), readRecord(wrong, LATER)].map((one) =>
        JSON.stringify(seen(one)),
      );
      if (found !== wanted) throw new Error(`${wrong}: ${found}, wanted ${wanted}`);
    }),
    { numRuns: 5_000, seed: 20261121 },
  );
  t.pass('they are');
});
