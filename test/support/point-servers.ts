import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { get } from './http.ts';
import { program } from './services.ts';
import { freePort } from './time-series.ts';
import { eventually } from './trailgauge.ts';

/** A series of InfluxDB, as it answers a query. */
export interface InfluxSeries {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly values: readonly (readonly unknown[])[];
}

/** InfluxDB 1 that was started for a test. */
export interface Influx {
  readonly url: string;
  /** Asks the database `d`; the series of the first result. */
  query(text: string): Promise<readonly InfluxSeries[]>;
  createDatabase(): Promise<void>;
}

/** A series of VictoriaMetrics, as it is exported. */
export interface Exported {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** VictoriaMetrics that was started for a test. */
export interface Victoria {
  readonly url: string;
  /** All series of this name. */
  exported(name: string): Promise<readonly Exported[]>;
}

/** Starts InfluxDB 1 (`influxd`) without any database; it ends with the test. */
export async function startInflux(t: Test): Promise<Influx> {
  const [port, rpc] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const args = (folder: string) => {
    const config = join(folder, 'influxdb.conf');
    const lines = [
      'reporting-disabled = true',
      `bind-address = "127.0.0.1:${rpc}"`,
      `[meta]\ndir = "${folder}/meta"`,
      `[data]\ndir = "${folder}/data"\nwal-dir = "${folder}/wal"`,
      `[http]\nbind-address = "127.0.0.1:${port}"`,
    ];
    writeFileSync(config, lines.join('\n'));
    return ['-config', config];
  };
  await start(t, 'influxd', args, `${url}/ping`);
  return {
    url,
    query: async (text) => {
      const { text: answer } = await get(`${url}/query?db=d&epoch=ns&q=${encodeURIComponent(text)}`);
      const { results } = JSON.parse(answer) as { results: readonly { series?: readonly InfluxSeries[] }[] };
      return results[0]?.series ?? [];
    },
    createDatabase: async () => {
      await get(`${url}/query?q=${encodeURIComponent('CREATE DATABASE d')}`, { method: 'POST' });
    },
  };
}

/** Starts VictoriaMetrics with these further arguments; it ends with the test. */
export async function startVictoriaMetrics(t: Test, ...flags: readonly string[]): Promise<Victoria> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = (folder: string) => [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${folder}`, ...flags];
  await start(t, 'victoria-metrics', args, `${url}/health`);
  return {
    url,
    exported: async (name) => {
      await get(`${url}/internal/force_flush`);
      const selector = encodeURIComponent(`{__name__="${name}"}`);
      const { text } = await get(`${url}/api/v1/export?match[]=${selector}`);
      const rows = text.split('\n').filter((row) => row !== '');
      return rows.map((row) => JSON.parse(row) as Exported);
    },
  };
}

async function start(t: Test, name: string, args: (folder: string) => readonly string[], ready: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  const child = spawn(program(name) ?? name, args(folder), { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve).on('error', resolve));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  t.teardown(async () => {
    kill();
    await ended;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const isReady = async () => [200, 204].includes((await get(ready).catch(() => null))?.status ?? 0);
  await eventually(`${name} to be ready`, isReady);
}
