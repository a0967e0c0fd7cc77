import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { eventNs, filledNs, parseNs } from '../../../src/writers/influx/timestamp.ts';
import { fixture } from '../../support/paths.ts';

const base: Event = { id: 'evt-1', time: 0, source: 'cts', action: 'a', outcome: 'ok', data: {} };

t.test('the table of times', async (t) => {
  const rows = readFileSync(fixture('object-logs/writers/timestamps.tsv'), 'utf8').trimEnd().split('\n').slice(1);
  t.equal(rows.length, 4);
  for (const row of rows) {
    const [id = '', time = '', resolution = '', timestamp] = row.split('\t');
    t.equal(String(filledNs(id, parseNs(time) ?? 0n, BigInt(resolution))), timestamp, row);
  }
});

t.test('digits by what the source knows', async (t) => {
  const time = Date.parse('2024-05-11T09:30:00Z');
  const of = (event: Partial<Event>) => String(eventNs({ ...base, time, ...event }));
  t.equal(of({ source: 'cloudtrail/prod' }), '1715419800641520361', 'whole seconds');
  t.equal(of({ time: time + 123 }), '1715419800123520361', 'milliseconds');
  const fine = '2024-05-11T09:30:00.123456789Z';
  const exact = '1715419800123456789';
  const record = { time: time + 123 };
  t.equal(of({ ...record, source: 'gcp-logs', data: { timestamp: fine } }), exact);
  t.equal(of({ ...record, source: 'ingest', data: { dataset: 'gcp-logs', raw: { timestamp: fine } } }), exact);
  t.equal(
    of({ ...record, source: 's3-audit', data: { form: 'lyve', record: { auditEntry: { time: fine } } } }),
    exact,
    'Lyve',
  );
  t.equal(
    of({ ...record, source: 's3-audit', data: { form: 'minio', record: { api: {}, time: fine } } }),
    exact,
    'MinIO',
  );
  const go = '2024-05-11 09:30:00.123456789 +0000 UTC m=+1.2';
  t.equal(
    of({ ...record, source: 's3-audit', data: { form: 'console', record: { ConsoleEvent: { EventTime: go } } } }),
    exact,
    'console',
  );
  const ceph = { form: 'ceph-ops', record: { time: '2024-05-11T09:30:00.123456Z' } };
  t.match(of({ ...record, source: 's3-audit', data: ceph }), /^1715419800123456[0-9]{3}$/, 'Ceph');
  t.equal(of({ source: 's3-audit', data: { form: 'aws-line', record: {} } }), '1715419800641520361', 'access log');
  const elsewhere = { timestamp: 7, raw: { timestamp: '2020-01-01T00:00:00.5Z' } };
  t.equal(of({ ...record, source: 'gcp-logs', data: elsewhere }), '1715419800123520361', 'not the time of the event');
});

t.test('times that InfluxDB does not take are moved, and told apart where they end', async (t) => {
  const latest = 2n ** 63n - 2n;
  const second = 1_000_000_000n;
  const gcp: Partial<Event> = { source: 'gcp-logs', data: { timestamp: '0001-01-01T00:00:00Z' } };
  const ends: readonly (readonly [Partial<Event>, bigint])[] = [
    [{ time: Date.parse('0001-01-01T00:00:00Z') }, -latest],
    [{ time: Date.parse('0001-01-01T00:00:00Z'), ...gcp }, -latest],
    [{ time: -Number.MAX_SAFE_INTEGER }, -latest],
    [{ time: Number.MAX_SAFE_INTEGER }, latest - second],
    [{ time: Date.parse('2262-04-11T23:47:16.500Z') }, latest - second],
  ];
  for (const [event, from] of ends) {
    const times = new Set(['a', 'b', 'c'].map((id) => eventNs({ ...base, ...event, id })));
    t.equal(times.size, 3);
    for (const time of times) t.ok(time >= from && time < from + second, `${event.time} ${time}`);
  }
});

t.test('times in words', async (t) => {
  t.equal(parseNs('2024-05-11T11:30:00.5+02:00'), 1715419800500000000n);
  t.equal(parseNs('1969-12-31T23:59:59.5Z'), -500000000n);
  t.equal(parseNs('2024-05-11 09:30:00 +0000 UTC'), 1715419800000000000n);
  for (const text of ['', 'now', '2024-13-11T09:30:00Z', '2024-05-11T09:30:00', '2024-05-11T09:30:00.1234567890Z']) {
    t.equal(parseNs(text), null, text);
  }
});
