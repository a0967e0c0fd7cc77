import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { usableTime } from '../../../src/lib/delivery.ts';
import { type LogEntry, parseEntry } from '../../../src/sources/gcp-logs/entry.ts';
import { parseLogKey } from '../../../src/sources/gcp-logs/keys.ts';
import { fixture } from '../../support/paths.ts';
import { expectedTally, Tally } from '../tally.ts';

const TREE = fixture('object-logs/gcs/tree');
const SOURCE = { source: 'gcp-logs' };

t.test('the tree, counted once', async (t) => {
  const tally = new Tally();
  const seen = new Set<string>();
  const names = readdirSync(TREE, { recursive: true, encoding: 'utf8' }).sort();
  for (const key of names.filter((name) => statSync(join(TREE, name)).isFile())) {
    if (parseLogKey(key) === null) {
      t.match(key, /notes\.txt$/);
      continue;
    }
    for (const line of readFileSync(join(TREE, key), 'utf8').split('\n')) {
      if (line === '') continue;
      tally.add('trailgauge_source_items_total', SOURCE);
      count(tally, seen, line);
    }
  }
  t.same(tally.sorted(), expectedTally('object-logs/gcs/expected.json').sorted());
});

function count(tally: Tally, seen: Set<string>, line: string): void {
  const entry = parseEntry(line);
  if ('rejected' in entry) {
    tally.add('trailgauge_source_rejected_total', { ...SOURCE, reason: entry.rejected });
  } else if (seen.has(entry.id)) {
    tally.add('trailgauge_source_duplicates_total', SOURCE);
  } else {
    seen.add(entry.id);
    tally.add('trailgauge_source_events_total', SOURCE);
    observe(tally, entry);
  }
}

function observe(tally: Tally, { log, severity, resourceType, audit, http, time }: LogEntry): void {
  tally.add('gcp_log_entries_total', { log, severity, resource_type: resourceType });
  if (audit?.counted) {
    const { service, method, outcome } = audit;
    tally.add('gcp_audit_events_total', { service, method, outcome });
  }
  if (http) {
    tally.add('gcp_http_request_duration_seconds_count', { code: http.code });
    tally.add('gcp_http_request_duration_seconds_sum', { code: http.code }, http.durationNs / 1e9);
  }
  if (usableTime(time, Date.UTC(2024, 5, 2, 11)) !== null) tally.add('gcp_delivery_lag_seconds_count');
}
