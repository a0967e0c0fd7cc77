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

/** A server that scrapes, started for a test. */
export interface TimeSeries {
  readonly name: string;
  /** Seconds from one scrape to the next. */
  readonly interval: number;
  /** All raw samples so far by series, without the labels that the server itself gives. */
  points(): Promise<ReadonlyMap<string, readonly Point[]>>;
}

/** Prometheus, which can be asked for more. */
export interface Prometheus extends TimeSeries {
  /** The `data` that an endpoint below `/api/v1/` answers with. */
  ask<T>(path: string): Promise<T>;
  /** What it has said so far. */
  log(): string;
}

export interface ServerOptions {
  /** Seconds from one scrape to the next, 1 unless told otherwise. */
  readonly interval?: number;
  /** As whom it scrapes, unless it is to have the name of the server. */
  readonly scraper?: string;
  /** Further arguments. */
  readonly flags?: readonly string[];
  /** Further sections of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
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
export async function startPrometheus(t: Test, target: string, options: ServerOptions = {}): Promise<Prometheus> {
  const port = await freePort();
  const folder = folderFor(t, target, { scraper: 'prometheus', ...options });
  const base = `http://127.0.0.1:${port}`;
  const log = await startServer(
    t,
    'prometheus',
    [
      `--config.file=${join(folder, 'scrape.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...(options.flags ?? []),
    ],
    `${base}/-/ready`,
  );
  async function ask<T>(path: string): Promise<T> {
    const { text } = await get(`${base}/api/v1/${path}`);
    return (JSON.parse(text) as { data: T }).data;
  }
  return {
    name: 'prometheus',
    interval: options.interval ?? 1,
    ask,
    log,
    points: async () => {
      const query = encodeURIComponent('{job="trailgauge"}[1h]');
      const { result } = await ask<{ result: { metric: Metric; values: [number, string][] }[] }>(
        `query?query=${query}`,
      );
      return new Map(
        result.map(({ metric, values }) => [
          keyOf(metric),
          values.map(([time, value]) => [time, Number(value)] as const),
        ]),
      );
    },
  };
}

/** Starts VictoriaMetrics, which scrapes the target as the scraper `victoria`. */
export async function startVictoria(t: Test, target: string, options: ServerOptions = {}): Promise<TimeSeries> {
  const port = await freePort();
  const folder = folderFor(t, target, { scraper: 'victoria', ...options });
  await startServer(
    t,
    'victoria-metrics',
    [
      `-promscrape.config=${join(folder, 'scrape.yml')}`,
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      ...(options.flags ?? []),
    ],
    `http://127.0.0.1:${port}/health`,
  );
  return {
    name: 'victoria-metrics',
    interval: options.interval ?? 1,
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

interface FolderOptions extends ServerOptions {
  readonly scraper: string;
}

function folderFor(t: Test, target: string, { scraper, interval = 1, config = {} }: FolderOptions): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const job = { job_name: 'trailgauge', params: { scraper: [scraper] }, static_configs: [{ targets: [target] }] };
  // JSON is YAML.
  const global = { scrape_interval: `${interval}s`, scrape_timeout: `${interval}s` };
  writeFileSync(join(folder, 'scrape.yml'), JSON.stringify({ global, ...config, scrape_configs: [job] }));
  return folder;
}

/** Starts a server until the end of the test, and waits until it is ready; gives what tells what it has said so far. */
export async function startServer(
  t: Test,
  name: string,
  args: readonly string[],
  ready: string,
): Promise<() => string> {
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
  return () => log;
}
