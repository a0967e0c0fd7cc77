import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import type { Rejected } from '../../../src/core/source.ts';
import { usableTime } from '../../../src/lib/delivery.ts';
import { splitArray } from '../../../src/lib/json-array.ts';
import { parseDigest } from '../../../src/sources/cloudtrail/digest.ts';
import { parseTrailKey } from '../../../src/sources/cloudtrail/keys.ts';
import { type CloudTrailRecord, parseRecord } from '../../../src/sources/cloudtrail/record.ts';
import { fixture } from '../../support/paths.ts';
import { expectedTally, Tally } from '../tally.ts';

const FOLDER = 'object-logs/cloudtrail';
const TREE = fixture(`${FOLDER}/tree`);
const SOURCE = { source: 'cloudtrail' };

t.test('the tree, counted once', async (t) => {
  const tally = new Tally();
  const seen = new Set<string>();
  const broken: string[] = [];
  for (const key of keys()) {
    if (parseTrailKey(key)?.kind !== 'log') continue;
    const elements = elementsOf(key);
    if (elements === null) broken.push(key.slice(-24, -8));
    for (const element of elements ?? []) {
      tally.add('trailgauge_source_items_total', SOURCE);
      count(tally, seen, parseRecord(element));
    }
  }
  t.same(tally.sorted(), expectedTally(`${FOLDER}/expected.json`).sorted());
  t.same(broken, ['eeeeEEEE00001111', 'ffffFFFF00001111']);
});

t.test('the controls of each record', async (t) => {
  const key = keys().find((one) => one.includes('bbbbBBBB')) ?? '';
  const rows = readFileSync(fixture(`${FOLDER}/controls.tsv`), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const elements = elementsOf(key) ?? [];
  t.equal(rows.length, elements.length);
  for (const [index, row] of rows.entries()) {
    const record = parseRecord(elements[index] ?? '');
    if ('rejected' in record) throw new Error(row);
    const { eventSource } = record.raw;
    const controls = [...record.controls].sort().join(' ');
    t.equal([index, eventSource, record.eventName, controls].join('\t'), row);
  }
});

t.test('the digest proves the files that it lists', async (t) => {
  const key = keys().find((one) => parseTrailKey(one)?.kind === 'digest') ?? '';
  const { end, files } = parseDigest(gunzipSync(readFileSync(join(TREE, key))).toString());
  t.equal(end, Date.UTC(2024, 4, 11, 10));
  t.equal(files.length, 2);
  for (const { bucket, key, sha256, oldest, newest } of files) {
    t.equal(bucket, 'trail-bucket');
    t.equal(
      createHash('sha256')
        .update(gunzipSync(readFileSync(join(TREE, key))))
        .digest('hex'),
      sha256,
    );
    t.same([oldest, newest], [Date.UTC(2024, 4, 11, 9, 30), Date.UTC(2024, 4, 11, 9, 30)]);
  }
});

function keys(): readonly string[] {
  const names = readdirSync(TREE, { recursive: true, encoding: 'utf8' }).sort();
  return names.filter((name) => statSync(join(TREE, name)).isFile());
}

/** Null if the file is broken. */
function elementsOf(key: string): readonly string[] | null {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(readFileSync(join(TREE, key)));
  } catch {
    return null;
  }
  const splitter = splitArray('Records', 1024 * 1024);
  const elements = [...splitter.elements(bytes)].map(String);
  return splitter.end() === null ? elements : null;
}

function count(tally: Tally, seen: Set<string>, record: CloudTrailRecord | Rejected): void {
  if ('rejected' in record) {
    tally.add('trailgauge_source_rejected_total', { ...SOURCE, reason: record.rejected });
  } else if (seen.has(record.id)) {
    tally.add('trailgauge_source_duplicates_total', SOURCE);
  } else {
    seen.add(record.id);
    observe(tally, record);
  }
}

function observe(tally: Tally, record: CloudTrailRecord): void {
  if (record.excluded) {
    tally.add('trailgauge_source_rejected_total', { ...SOURCE, reason: 'excluded' });
    return;
  }
  const { service, region, account, outcome, controls, time } = record;
  tally.add('trailgauge_source_events_total', SOURCE);
  tally.add('cloudtrail_events_total', { service, region, account, outcome });
  for (const control of controls) tally.add('cloudtrail_security_events_total', { control });
  if (usableTime(time, Date.UTC(2024, 4, 12)) !== null) tally.add('cloudtrail_delivery_lag_seconds_count');
}
