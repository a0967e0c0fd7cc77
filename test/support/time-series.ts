import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { get } from './http.ts';
import { program } from './services.ts';
import { seriesKey } from './strict-exposition.ts';
import { eventually } from './trailgauge.ts';

/** A raw sample: seconds since 1970, and the value. */
export type Point = readonly [time: number, value: number];

/** A server that scrapes once a second, started for a test. */
export interface TimeSeries {
  readonly name: string;
  /** All raw samples so far by series, without the labels that the server itself gives. */
  points(): Promise<ReadonlyMap<string, readonly Point[]>>;
}

/** A port that is free, and below those that the kernel gives to connections, so that it stays so. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** Starts Prometheus, which scrapes the target as the scraper `prometheus`. */
export async function startPrometheus(t: Test, target: string): Promise<TimeSeries> {
  const port = await freePort();
  const folder = folderFor(t, target, 'prometheus');
  await startServer(
    t,
    'prometheus',
    [
      `--config.file=${join(folder, 'scrape.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    `http://127.0.0.1:${port}/-/ready`,
  );
  return {
    name: 'prometheus',
    points: async () => {
      const query = encodeURIComponent('{job="trailgauge"}[1h]');
      const { text } = await get(`http://127.0.0.1:${port}/api/v1/query?query=${query}`);
      const answer = JSON.parse(text) as { data: { result: { metric: Metric; values: [number, string][] }[] } };
      return new Map(
        answer.data.result.map(({ metric, values }) => [
          keyOf(metric),
          values.map(([time, value]) => [time, Number(value)] as const),
        ]),
      );
    },
  };
}

/** Starts VictoriaMetrics, which scrapes the target as the scraper `victoria`. */
export async function startVictoria(t: Test, target: string): Promise<TimeSeries> {
  const port = await freePort();
  const folder = folderFor(t, target, 'victoria');
  await startServer(
    t,
    'victoria-metrics',
    [
      `-promscrape.config=${join(folder, 'scrape.yml')}`,
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
    ],
    `http://127.0.0.1:${port}/health`,
  );
  return {
    name: 'victoria-metrics',
    points: async () => {
      // What came in the last seconds is seen only after this.
      await get(`http://127.0.0.1:${port}/internal/force_flush`);
      const { text } = await get(
        `http://127.0.0.1:${port}/api/v1/export?match[]=${encodeURIComponent('{job="trailgauge"}')}`,
      );
      const rows = text.split('\n').filter((line) => line !== '');
      return new Map(
        rows.map((row) => {
          const { metric, values, timestamps } = JSON.parse(row) as {
            metric: Metric;
            values: (number | null)[];
            timestamps: number[];
          };
          // Null marks where a series ended.
          const points = values.flatMap((value, index): Point[] =>
            value === null ? [] : [[(timestamps[index] ?? 0) / 1_000, value]],
          );
          return [keyOf(metric), points.sort(([a], [b]) => a - b)];
        }),
      );
    },
  };
}

type Metric = Readonly<Record<string, string>>;

function keyOf(metric: Metric): string {
  const labels = Object.entries(metric).filter(([name]) => !['__name__', 'job', 'instance'].includes(name));
  return seriesKey(metric.__name__ ?? '', labels);
}

function folderFor(t: Test, target: string, scraper: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const job = { job_name: 'trailgauge', params: { scraper: [scraper] }, static_configs: [{ targets: [target] }] };
  // JSON is YAML.
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: [job] };
  writeFileSync(join(folder, 'scrape.yml'), JSON.stringify(config));
  return folder;
}

async function startServer(t: Test, name: string, args: readonly string[], ready: string): Promise<void> {
  const child = spawn(program(name) ?? name, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  let over = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-10_000)));
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      log += error.message;
      resolve();
    });
    child.on('exit', () => resolve());
  }).then(() => {
    over = true;
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  t.teardown(async () => {
    kill();
    await ended;
    process.off('exit', kill);
  });
  await eventually(
    () => `${name} to be ready:\n${log}`,
    async () => over || (await get(ready).catch(() => null))?.status === 200,
  );
  if (over) throw new Error(`${name} ended at once:\n${log}`);
}
