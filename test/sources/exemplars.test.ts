import t from 'tap';
import type { Catalogue } from '../../src/core/metrics/define.ts';
import type { Handles } from '../../src/core/metrics/handles.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { CLOUDTRAIL_METRICS } from '../../src/sources/cloudtrail/metrics.ts';
import { Observer as CloudTrailObserver } from '../../src/sources/cloudtrail/observe.ts';
import { parseRecord } from '../../src/sources/cloudtrail/record.ts';
import { NOWHERE } from '../../src/sources/cts/labels.ts';
import { CTS_METRICS } from '../../src/sources/cts/metrics.ts';
import { Observer as CtsObserver } from '../../src/sources/cts/observe.ts';
import { decodeTrace } from '../../src/sources/cts/trace.ts';
import { parseEntry } from '../../src/sources/gcp-logs/entry.ts';
import { GCP_LOGS_METRICS } from '../../src/sources/gcp-logs/metrics.ts';
import { Observer as GcpObserver } from '../../src/sources/gcp-logs/observe.ts';
import { S3_AUDIT_METRICS } from '../../src/sources/s3-audit/metrics.ts';
import { Observer as S3Observer } from '../../src/sources/s3-audit/observe.ts';
import { PartialReader } from '../../src/sources/s3-audit/partial.ts';
import { type AuditRecord, FORMATS } from '../../src/sources/s3-audit/record.ts';
import { readRecord } from '../../src/sources/s3-audit/records.ts';
import { RequestIds } from '../../src/sources/s3-audit/request-id.ts';
import { exposed } from '../support/exposition.ts';
import { parseExposition } from '../support/strict-exposition.ts';

/** Milliseconds since 1970. */
const TIME = Date.UTC(2024, 1, 2, 3, 4, 5);
const WHEN = new Date(TIME).toISOString();
const ARRIVAL = TIME + 60_000;

/** Exemplars that are shown after something was counted: name of the metric, label, id, value and time in seconds. */
async function shownAfter<C extends Catalogue>(
  catalogue: C,
  count: (metrics: Handles<C>) => void,
): Promise<readonly unknown[]> {
  const registry = new Registry({ seriesLimit: 100, exemplars: true });
  count(registry.register('x', catalogue));
  const text = await exposed(registry, { view: { format: 'openmetrics', escaping: 'underscores' } });
  return [...parseExposition(text, 'openmetrics').samples.values()].flatMap(({ name, exemplar }) =>
    exemplar ? [[name, ...[...exemplar.labels].flat(), exemplar.value, exemplar.time]] : [],
  );
}

t.test('cts: the request id', async (t) => {
  const count = (traces: readonly object[]) =>
    shownAfter(CTS_METRICS, (metrics) => {
      const observer = new CtsObserver({ metrics, optional: new Set(), top: 0, distinct: false });
      for (const trace of traces) {
        const found = decodeTrace({ trace_id: 'i', trace_name: 'n', service_type: 'ECS', time: TIME, ...trace });
        if ('rejected' in found) throw new Error('no trace');
        observer.observe(found, { place: NOWHERE, receivedAt: ARRIVAL, visible: false });
      }
    });
  t.same(await count([{ request_id: 'r-1' }]), [['cts_traces_total', 'request_id', 'r-1', 1, TIME / 1000]]);
  t.same(await count([{}, { request_id: 'null' }, { request_id: null }]), [], 'none without');
  t.same(await count([{ request_id: 'r-1', time: ARRIVAL + 3_600_001 }]), [], 'none of no time that can be');
});

t.test('cloudtrail: the event id, of what a control watches', async (t) => {
  const count = (record: object) =>
    shownAfter(CLOUDTRAIL_METRICS, (metrics) => {
      const found = parseRecord(
        JSON.stringify({ eventSource: 'iam.amazonaws.com', eventName: 'CreatePolicy', eventTime: WHEN, ...record }),
      );
      if ('rejected' in found) throw new Error('no record');
      new CloudTrailObserver({ metrics, labels: [], top: 0, distinct: false }).observe(found, ARRIVAL);
    });
  const [shown, ...more] = await count({ eventID: 'e-1', requestID: 'r-1' });
  t.same([shown, more], [['cloudtrail_security_events_total', 'event_id', 'e-1', 1, TIME / 1000], []]);
  t.same(await count({ requestID: 'r-1' }), [], 'none without');
  t.same(await count({ eventID: 'e-1', eventName: 'ListPolicies' }), [], 'none of what nobody watches');
});

t.test('gcp-logs: the trace of a request', async (t) => {
  const cases = [
    ['projects/demo-1/traces/06796866738c859f2f19b7cfb3214824', '06796866738c859f2f19b7cfb3214824'],
    ['06796866738c859f2f19b7cfb3214824', '06796866738c859f2f19b7cfb3214824'],
    ['projects/demo-1/traces/', null],
    ['projects/demo-1/spans/1', null],
    ['', null],
    [7, null],
  ] as const;
  for (const [trace, id] of cases) {
    const shown = await shownAfter(GCP_LOGS_METRICS, (metrics) => {
      const httpRequest = { status: 200, latency: '0.75s' };
      const found = parseEntry(JSON.stringify({ logName: 'projects/p/logs/x', timestamp: WHEN, httpRequest, trace }));
      if ('rejected' in found) throw new Error('no entry');
      new GcpObserver({ metrics, top: 0, distinct: false }).observe(found, ARRIVAL);
    });
    const wanted = ['gcp_http_request_duration_seconds_bucket', 'trace_id', id, 0.75, TIME / 1000];
    t.same(shown, id === null ? [] : [wanted], String(trace));
  }
});

const MAP = '{"requestID":"not this one","A":"B"}';
const CALL = '{"name":"GetObject","bucket":"b","statusCode":200,"timeToResponse":"2s"}';
const ENTRY = `{"api":${CALL},"requestClaims":${MAP},"requestHeader":${MAP},"requestID":"r-1","requestQuery":${MAP},"time":"${WHEN}"}`;
const S3_LINES: Readonly<Record<string, string>> = {
  minio: ENTRY,
  lyve: `{"auditEntry":${ENTRY},"serviceAccountName":"a"}`,
  'aws-line': `o b [02/Feb/2024:03:04:05 +0000] 192.0.2.1 u r-1 REST.GET.OBJECT k "GET /b/k HTTP/1.1" 200 - 1 1 2000 3 "-" "x" -`,
  'ceph-line': `o b [02/Feb/2024:03:04:05 +0000] 192.0.2.1 u r-1 REST.GET.OBJECT k "GET /b/k HTTP/1.1" 200 - 1 1 - 2s "-" "x" -`,
  'ceph-ops': `{"bucket":"b","time":"${WHEN}","operation":"get_obj","http_status":"200","total_time":2000,"trans_id":"r-1"}`,
};

t.test('s3-audit: the request id, of requests that took longer than a second', async (t) => {
  const place = { format: FORMATS[0], iam: false, arrival: ARRIVAL };
  const count = (text: string, times = 1, reader = new PartialReader()) =>
    shownAfter(S3_AUDIT_METRICS, (metrics) => {
      const observer = new S3Observer({ metrics, top: 0, distinct: false });
      for (let i = 0; i < times; i++) {
        const found = reader.read(text, place);
        if (!found || 'rejected' in found) throw new Error('no record');
        observer.observe(found, ARRIVAL);
      }
    });
  const wanted = [['s3_request_duration_seconds_bucket', 'request_id', 'r-1', 2, TIME / 1000]];
  for (const [form, line] of Object.entries(S3_LINES)) {
    t.equal((readRecord(line, place) as AuditRecord).form, form);
    t.same(await count(line), wanted, form);
    t.same(await count(line, 3), wanted, `${form}, by learned shapes`);
    if (form.endsWith('-line')) t.same(await count(line.replace('r-1', '-')), [], `${form}, none`);
  }
  t.same(await count(S3_LINES.minio!.replace('2s', '1s')), [], 'none of a fast one');
});

t.test('s3-audit: ids are read the same from whole records and from parts of them', async (t) => {
  const place = { format: FORMATS[0], iam: false, arrival: ARRIVAL };
  const [partial, ids] = [new PartialReader(), new RequestIds()];
  for (const form of ['minio', 'lyve'] as const) {
    for (const id of ['"r-1"', '"r-2"', '"\\u0041\\""', '7', 'null', '{"requestID":"x"}', '[]', '""', '"r-3"']) {
      const line = S3_LINES[form]!.replace('"r-1"', id);
      const whole = readRecord(line, place) as AuditRecord;
      t.equal(ids.of(partial.read(line, place) as AuditRecord), new RequestIds().of(whole), `${form} ${id}`);
    }
  }
  t.equal(ids.of(readRecord('{"content":{"event":"x"},"organization":"o"}', place) as AuditRecord), '', 'no request');
});
