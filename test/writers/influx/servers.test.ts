import t, { type Test } from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { type HttpAnswer, httpClient } from '../../../src/lib/http.ts';
import { judgeWrite, type WriteVerdict } from '../../../src/writers/influx/answer.ts';
import { encodeEvent } from '../../../src/writers/influx/point.ts';
import { type InfluxTarget, writeRequest } from '../../../src/writers/influx/request.ts';
import { startInflux, startVictoriaMetrics } from '../../support/point-servers.ts';
import { need } from '../../support/services.ts';
import { eventually } from '../../support/trailgauge.ts';

// A whole second of the last minute: servers drop what is older than they keep, and show nothing of the future.
const NOW = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;

/** Requests of one instant, with all that escapes could get wrong in the names. */
function events(count: number): readonly Event[] {
  const odd = ['plain', 'a b', 'a,b', 'a=b', 'a\\b', 'a\\', 'a\\,b', '"q"', 'ü🗂', 'x\ny count=9i 1'];
  return Array.from({ length: count }, (_, index) => ({
    id: `event ${index}`,
    time: NOW,
    source: 's3-audit',
    action: 'GetObject',
    outcome: 'ok' as const,
    data: {
      kind: 'request',
      form: 'aws-line',
      api: 'GetObject',
      bucket: odd[index % odd.length] ?? '',
      code: '200',
      duration_ns: 1_000 + index,
    },
  }));
}

/** The buckets as they arrive. */
const BUCKETS = ['"q"', 'a b', 'a,b', 'a=b', 'a\\b', 'a_', 'a_,b', 'plain', 'x y count=9i 1', 'ü🗂'].sort();

function linesOf(count: number, strings = false): readonly string[] {
  return events(count).map((event) => encodeEvent(event, { points: 'event', strings }) ?? '');
}

type Write = (lines: readonly string[]) => Promise<WriteVerdict>;

function writing(t: Test, target: InfluxTarget, secret: Parameters<typeof writeRequest>[1] = {}): Write {
  const client = httpClient({ timeoutMs: 30_000 });
  t.teardown(() => client.close());
  return async (lines) => {
    const answer: HttpAnswer = await client.send(writeRequest(target, secret, lines));
    return judgeWrite(answer, lines);
  };
}

t.test('VictoriaMetrics', async (t) => {
  if (!need(t, 'victoria-metrics')) return;
  const { url, exported } = await startVictoriaMetrics(t);
  for (const target of [
    { url, org: 'o', bucket: 'b' },
    { url, database: 'd' },
  ]) {
    const write = writing(t, target);
    t.same(await write(linesOf(100)), { kind: 'done' });
    const rows = await eventually('all series to be found', async () => {
      const found = await exported('s3_requests_count');
      const own = found.filter(({ metric }) => (target.database ?? '') === (metric.db ?? ''));
      return own.length < BUCKETS.length ? null : own;
    });
    t.same(rows.map(({ metric }) => metric.bucket).sort(), BUCKETS);
    const values = rows.flatMap(({ values }) => values);
    t.equal(values.length, 100, 'one sample each, as their times differ');
    t.ok(values.every((value) => value === 1));
  }
});

t.test('InfluxDB 1', async (t) => {
  if (!need(t, 'influxd')) return;
  const { url, query, createDatabase } = await startInflux(t);
  const write = writing(t, { url, database: 'd' }, { username: 'kim', password: 'x' });
  t.match(await write(linesOf(1)), { kind: 'hold', text: /database not found/ }, 'before there is a database');
  await createDatabase();

  t.same(await write(linesOf(100, true)), { kind: 'done' });
  t.same(await write(linesOf(100, true)), { kind: 'done' }, 'and again, as after a cut connection');
  const series = await query('SELECT sum("count"), sum(duration_ns) FROM s3_requests GROUP BY bucket');
  t.same(series.map(({ tags }) => tags?.bucket).sort(), BUCKETS);
  t.ok(
    series.every(({ values }) => values[0]?.[1] === 10),
    'each event once',
  );
  const ids = await query('SELECT id FROM s3_requests');
  t.equal(new Set(ids[0]?.values.map(([, id]) => id)).size, 100, 'strings as they were');

  const good = linesOf(102).slice(100);
  const verdict = await write([good[0] ?? '', 'bad line here', good[1] ?? '']);
  t.match(verdict, { kind: 'partial', dropped: 0, dead: [{ index: 1, text: /bad line here/ }] });
  t.match((await query('SELECT sum("count") FROM s3_requests'))[0]?.values[0], [0, 102], 'the good ones are stored');
  t.match(await write(['bad line here']), { kind: 'dead', reason: 'rejected' });
  const conflict = [`s3_requests count="text" ${NOW}000000`, `other count=1i ${NOW}000000`];
  t.match(await write(conflict), { kind: 'partial', dead: [], dropped: 1, text: /field type conflict/ });

  const [long] = events(1).map((event) => ({
    ...event,
    id: `"${'\\ü'.repeat(50_000)}`,
    data: { ...event.data, api: 'Long' },
  }));
  const line = long ? (encodeEvent(long, { points: 'event', strings: true }) ?? '') : '';
  t.same(await write([line]), { kind: 'done' }, 'a string as long as can be');
});
