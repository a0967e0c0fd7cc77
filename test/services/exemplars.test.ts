import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { get } from '../support/http.ts';
import { need, program } from '../support/services.ts';
import { parseExposition, seriesKey } from '../support/strict-exposition.ts';
import { type Prometheus, startPrometheus, startVictoria, type TimeSeries } from '../support/time-series.ts';
import { eventually, home } from '../support/trailgauge.ts';

const OPENMETRICS = { accept: 'application/openmetrics-text; version=1.0.0' };
const CONFIG = { storage: { exemplars: { max_exemplars: 100 } } };
/** The last one asks for protobuf. */
const FEATURES = ['exemplar-storage', 'exemplar-storage,native-histograms'] as const;
const FOLDERS = ['s3', 'cloudtrail', 'gcp'] as const;
/** What each metric shows of an event that took so many seconds. */
const METRICS = [
  ['s3_request_duration_seconds_bucket', 'request_id', 3],
  ['cloudtrail_security_events_total', 'event_id', 1],
  ['gcp_http_request_duration_seconds_bucket', 'trace_id', 0.75],
] as const;

/** One event in the object logs of each source. */
function objects(id: string, time: number): Readonly<Record<(typeof FOLDERS)[number], string>> {
  const when = new Date(time).toISOString();
  const api = { name: 'GetObject', bucket: 'b', statusCode: 200, timeToResponse: '3s' };
  return {
    s3: JSON.stringify({ version: '1', time: when, api, requestID: id }),
    cloudtrail: JSON.stringify({
      Records: [
        { eventSource: 'iam.amazonaws.com', eventName: 'CreatePolicy', awsRegion: 'x', eventTime: when, eventID: id },
      ],
    }),
    gcp: JSON.stringify({
      logName: 'projects/p/logs/requests',
      timestamp: when,
      insertId: id,
      httpRequest: { status: 200, latency: '0.75s' },
      trace: `projects/p/traces/${id}`,
    }),
  };
}

t.setTimeout(120_000);

t.test('servers that scrape know by which request each value came', async (t) => {
  if (!need(t, 'prometheus', 'promtool')) return;
  const section = (name: (typeof FOLDERS)[number]) => ({ directory: name, interval: '1s' });
  const sources = {
    's3-audit': { ...section('s3'), layout: 'flat' },
    cloudtrail: section('cloudtrail'),
    'gcp-logs': section('gcp'),
  };
  const place = home(t, { sources });
  for (const name of FOLDERS) mkdirSync(join(place.folder, name));
  const { url } = await place.start();
  const { host } = new URL(url);
  const servers = await Promise.all(
    FEATURES.map((features) =>
      startPrometheus(t, host, { flags: [`--enable-feature=${features}`], config: CONFIG, scraper: features }),
    ),
  );
  const all: TimeSeries[] = [...servers];
  if (need(t, 'victoria-metrics')) all.push(await startVictoria(t, host));
  const isSeen = async (key: string, value: number) => {
    const last = await Promise.all(all.map(async ({ points }) => (await points()).get(key)?.at(-1)?.[1]));
    return last.every((one) => one === value);
  };
  await eventually('all to scrape', () => isSeen('up', 1));

  // Seconds with a fraction are to arrive as they are.
  const begin = Math.floor(Date.now() / 1_000) * 1_000 - 60_000 + 250;
  const stamp = new Date(begin).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  const ids = ['r-1', 'r-2', 'r-3'] as const;
  for (const [index, id] of ids.entries()) {
    // The last one is older, and nobody is shown it.
    const time = begin + (index === 2 ? -5_000 : index * 2_000);
    for (const [name, text] of Object.entries(objects(id, time))) {
      const key = name === 's3' ? `${stamp}-${id}` : `${id}.json`;
      writeFileSync(join(place.folder, name, key), `${text}\n`);
    }
    for (const [source] of Object.entries(sources)) {
      const key = seriesKey('trailgauge_source_events_total', [['source', source]]);
      await eventually(`all to see ${id} of ${source}`, () => isSeen(key, index + 1));
    }
    const wanted = ids.slice(0, Math.min(index + 1, 2));
    for (const server of servers) {
      for (const [name, label, value] of METRICS) {
        const found = async () => JSON.stringify(await exemplarsOf(server, name));
        const right = JSON.stringify(
          wanted.map((one, at) => ({ labels: { [label]: one }, value, time: (begin + at * 2_000) / 1_000 })),
        );
        await eventually(
          () => `${name} to have ${right} after ${id}:\n${server.log()}`,
          async () => (await found()) === right,
        );
      }
    }
  }
  for (const { log } of servers) t.notMatch(log(), /level=(error|warn)/, 'it complains of nothing');

  const [text, openmetrics] = await Promise.all([
    get(`${url}/metrics`),
    get(`${url}/metrics`, { headers: OPENMETRICS }),
  ]);
  parseExposition(text.text);
  const { samples } = parseExposition(openmetrics.text, 'openmetrics');
  t.equal([...samples.values()].filter(({ exemplar }) => exemplar).length, METRICS.length, 'in OpenMetrics');
  const checked = spawnSync(program('promtool') ?? '', ['check', 'metrics'], { input: text.text, encoding: 'utf8' });
  t.equal(checked.status, 0, `promtool takes the text: ${checked.stderr}`);
});

interface Found {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly time: number;
}

async function exemplarsOf({ ask }: Prometheus, name: string): Promise<readonly Found[]> {
  const range = `start=1600000000&end=${Date.now() / 1_000 + 60}`;
  const series = await ask<{ exemplars: { labels: Found['labels']; value: string; timestamp: number }[] }[]>(
    `query_exemplars?query=${encodeURIComponent(name)}&${range}`,
  );
  return series
    .flatMap(({ exemplars }) => exemplars)
    .map(({ labels, value, timestamp }) => ({ labels, value: Number(value), time: timestamp }));
}
