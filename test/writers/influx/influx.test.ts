import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { influx } from '../../../src/writers/influx/index.ts';
import { encodeEvent } from '../../../src/writers/influx/point.ts';
import { get } from '../../support/http.ts';
import { startInflux, startVictoriaMetrics } from '../../support/point-servers.ts';
import { need } from '../../support/services.ts';
import { eventually } from '../../support/trailgauge.ts';
import { deliver, findingsOf, openWriter, writeAll } from '../../support/writers.ts';

// A whole second of the last minute: servers drop what is older than they keep, and show nothing of the future.
const NOW = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;

/** Requests of one instant, by bucket in turn. */
function events(count: number, from = 0): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `event ${from + index}`,
    time: NOW,
    source: 's3-audit',
    action: 'GetObject',
    outcome: 'ok' as const,
    data: {
      kind: 'request',
      form: 'aws-line',
      api: 'GetObject',
      bucket: ['invoices', 'web', 'x'][index % 3] ?? '',
      code: '200',
      duration_ns: 5,
      raw: { api: { name: 'GetObject', bucket: 'invoices', statusCode: 200, timeToResponse: '5ns' } },
    },
  }));
}

t.test('InfluxDB 1: events once written are counted once, however often they are sent', async (t) => {
  if (!need(t, 'influxd')) return;
  const { url, query, createDatabase } = await startInflux(t);
  const section = { url, database: 'd' };
  const writer = openWriter(t, influx, section);
  t.match(await writeAll(writer, events(2)), { kind: 'later', hold: true, settled: [], text: /database not found/ });
  t.match(await findingsOf(influx, section), [{ ok: false, detail: /database not found.*create it/ }]);
  await createDatabase();
  t.match(await findingsOf(influx, section), [
    { ok: true, detail: /\/write: points for database d are taken \(it says InfluxDB/ },
  ]);
  t.match(await findingsOf(influx, { ...section, username: 'kim', password: 'x' }), [{ ok: true }]);
  t.same(await query('SELECT * FROM /.*/'), [], 'nothing was written by that');

  for (let round = 0; round < 2; round++) {
    t.same(await writeAll(writer, events(1_500)), { kind: 'done', dead: [] });
    const series = await query('SELECT sum("count"), sum(duration_ns) FROM s3_requests GROUP BY bucket');
    const sums = series.map(({ tags, values }) => [tags?.bucket, values[0]?.[1], values[0]?.[2]]);
    t.same(sums.sort(), [
      ['invoices', 500, 2_500],
      ['web', 500, 2_500],
      ['x', 500, 2_500],
    ]);
  }

  const gateway = openWriter(t, influx, { ...section, points: 'gateway' });
  for (let round = 0; round < 2; round++) t.same(await writeAll(gateway, events(30)), { kind: 'done', dead: [] });
  const panel =
    'SELECT count(message), mean("auditEntry.api.timeToResponse") FROM "audit-01" GROUP BY "auditEntry.api.name"';
  t.match(await query(panel), [{ tags: { 'auditEntry.api.name': 'GetObject' }, values: [[0, 30, 5]] }]);
});

t.test('InfluxDB 1: a field that has another type', async (t) => {
  if (!need(t, 'influxd')) return;
  const { url, query, createDatabase } = await startInflux(t);
  await createDatabase();
  const writer = openWriter(t, influx, { url, database: 'd' });
  // The server says how many it did not take, not which.
  const text = `s3_requests,api=GetObject count="text" ${NOW}000000\n`;
  t.equal((await get(`${url}/write?db=d`, { method: 'POST', body: text })).status, 204);
  const flow: Event = {
    ...events(1)[0]!,
    id: 'f',
    data: { dataset: 'aporeto', kind: 'flows', action: 'accept', value: 7 },
  };
  t.same(await writeAll(writer, [...events(9), flow]), { kind: 'done', dead: [], dropped: 9 });
  t.match(await query('SELECT sum(value) FROM aporeto_flows'), [{ values: [[0, 7]] }]);
});

t.test('InfluxDB 1: times that it cannot keep', async (t) => {
  if (!need(t, 'influxd')) return;
  const { url, query, createDatabase } = await startInflux(t);
  await createDatabase();
  const never = {
    time: Date.parse('0001-01-01T00:00:00Z'),
    data: { kind: 'request', form: 'minio', api: 'GetObject' },
  };
  const odd = events(4).map((event, index) => (index < 3 ? { ...event, ...never } : { ...event, time: 1e16 }));
  t.same(await writeAll(openWriter(t, influx, { url, database: 'd' }), odd), { kind: 'done', dead: [] });
  const [series] = await query('SELECT "count" FROM s3_requests');
  t.equal(series?.values.length, 4);
});

t.test('VictoriaMetrics: by both end points', async (t) => {
  if (!need(t, 'victoria-metrics')) return;
  const { url, exported } = await startVictoriaMetrics(t);
  for (const section of [
    { url, bucket: 'any' },
    { url, database: 'd' },
  ]) {
    t.match(await findingsOf(influx, section), [{ ok: true, detail: /are taken \(it says InfluxDB 1/ }]);
    t.same(await deliver(openWriter(t, influx, section), events(90)), {
      done: 90,
      dead: [],
      dropped: 0,
      waits: [],
      texts: [],
    });
    const rows = await eventually('all samples to be found', async () => {
      const own = (await exported('s3_requests_count')).filter(
        ({ metric }) => (metric.db === 'd') === 'database' in section,
      );
      return own.flatMap(({ values }) => values).length < 90 ? null : own;
    });
    t.same(rows.map(({ metric, values }) => [metric.bucket, values.reduce((sum, value) => sum + value, 0)]).sort(), [
      ['invoices', 30],
      ['web', 30],
      ['x', 30],
    ]);
  }
  t.match(await findingsOf(influx, { url: `${url}/elsewhere`, bucket: 'any' }), [
    { ok: false, detail: /another one\?/ },
  ]);
  const lost = openWriter(t, influx, { url: `${url}/elsewhere`, bucket: 'any' });
  t.match(await writeAll(lost, events(9)), { kind: 'later', hold: true, settled: [], dead: [] });
});

t.test('VictoriaMetrics: a replay is counted twice, unless it is told to keep one sample a millisecond', async (t) => {
  if (!need(t, 'victoria-metrics')) return;
  const all = events(30);
  const lines = all.map((event) => encodeEvent(event, { points: 'event', strings: false }) ?? '');
  // Of one series, the last six digits of the time are below what it keeps.
  const kept = new Set(lines.map((line) => line.slice(0, -6))).size;
  for (const [flags, samples] of [
    [[], 60],
    [['-dedup.minScrapeInterval=1ms'], kept],
  ] as const) {
    const { url, exported } = await startVictoriaMetrics(t, ...flags);
    const writer = openWriter(t, influx, { url, bucket: 'any' });
    for (let round = 0; round < 2; round++) t.same(await writeAll(writer, all), { kind: 'done', dead: [] });
    const isThere = async () => {
      const rows = await exported('s3_requests_count');
      return rows.flatMap(({ values }) => values).length === samples;
    };
    t.ok(await eventually(`${samples} samples`, isThere));
  }
});
