import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { isRejected } from '../../../src/core/source.ts';
import { createExclusion } from '../../../src/sources/s3-audit/exclude.ts';
import { readKey } from '../../../src/sources/s3-audit/keys.ts';
import { readRecord } from '../../../src/sources/s3-audit/records.ts';
import { fixture } from '../../support/paths.ts';
import { createSums, differences, expectedSums, LATER, linesOf, type Sums } from './counted.ts';

const SOURCE = { source: 's3-audit' };
const EXCLUDE = { own: true, buckets: [], accounts: [], apis: [] };
const isExcluded = createExclusion(EXCLUDE, { bucket: 'audit-logs', accessKey: 'test' });

/** Counts an object; `seen` are the access-log lines that were counted before. */
function countObject(text: string, sums: Sums, { iam, seen }: { iam: boolean; seen: Set<string> }): void {
  for (const line of linesOf(text)) {
    const found = readRecord(line, { ...LATER, iam });
    if (found === null) continue;
    sums.add('trailgauge_source_items_total', SOURCE, 1);
    if (isRejected(found)) {
      sums.add('trailgauge_source_rejected_total', { ...SOURCE, reason: found.rejected }, 1);
    } else if (found.form === 'aws-line' && seen.has(line)) {
      sums.add('trailgauge_source_duplicates_total', SOURCE, 1);
    } else if (isExcluded(found)) {
      sums.add('trailgauge_source_rejected_total', { ...SOURCE, reason: 'excluded' }, 1);
    } else {
      seen.add(line);
      sums.add('trailgauge_source_events_total', SOURCE, 1);
      sums.count(found);
    }
  }
}

function textOf(path: string): string {
  return readFileSync(path, 'utf8');
}

t.test('records of MinIO of all ages, hostile lines, access logs', async (t) => {
  const cases = [
    ['minio/expected.json', ['minio/epochs.ndjson']],
    ['hostile/expected.json', ['hostile/lines.ndjson']],
    ['access-log/expected.json', ['access-log/aws.log', 'access-log/ceph-standard.log', 'access-log/ceph-ops.ndjson']],
  ] as const;
  for (const [wanted, files] of cases) {
    const sums = createSums();
    const seen = new Set<string>();
    for (const file of files) countObject(textOf(fixture(`object-logs/${file}`)), sums, { iam: false, seen });
    t.same(differences(sums.all(), expectedSums(wanted)), [], wanted);
  }
});

t.test('a bucket of Lyve Cloud', async (t) => {
  const tree = fixture('object-logs/lyve/tree');
  const sums = createSums();
  const seen = new Set<string>();
  for (const entry of readdirSync(tree, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    const reading = readKey('lyve', relative(tree, path).split(sep).join('/'), content.length);
    if (reading.kind === 'ignored') sums.add('s3_log_objects_total', { result: 'ignored' }, 1);
    if (reading.kind !== 'log') continue;
    const text = unpacked(content);
    sums.add('s3_log_objects_total', { result: text === null ? 'quarantined' : 'done' }, 1);
    if (text !== null) countObject(text, sums, { iam: reading.type === 'iam', seen });
  }
  t.same(differences(sums.all(), expectedSums('lyve/expected.json')), []);
});

/** Null for what is cut off. */
function unpacked(content: Buffer): string | null {
  if (content.length === 0) return '';
  try {
    return gunzipSync(content).toString('utf8');
  } catch {
    return null;
  }
}
