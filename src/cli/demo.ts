import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../app.ts';
import { type Config, readConfig } from '../core/config.ts';
import { packageRoot } from '../core/version.ts';
import { loadTypes, type Types } from './catalogue.ts';
import { aborted, failed, type Io, OK, write } from './io.ts';
import { createLog, quietConsole } from './log.ts';
import { prepareReplay, replay } from './replay.ts';
import { OBJECT_SHAPES, replayObjects } from './replay-objects.ts';
import { replayTraces, type TraceService } from './replay-traces.ts';

export interface DemoArguments {
  /** Listened on; without it 8080, or any that is free. */
  readonly port?: number | undefined;
}

const DEFAULT_PORT = 8080;

/** Sources that read objects, their recordings, and how these become objects. */
const STORES = [
  { type: 's3-audit', file: 'records.ndjson', shape: OBJECT_SHAPES.lyve },
  { type: 'cloudtrail', file: 'records.ndjson', shape: OBJECT_SHAPES.cloudtrail },
  { type: 'gcp-logs', file: 'entries.ndjson', shape: OBJECT_SHAPES.google },
] as const;

/** Shows the main job on bundled recordings, replayed as if live. Leaves nothing behind. */
export async function demo({ port }: DemoArguments, io: Io): Promise<number> {
  const folder = await temporaryFolder();
  if (folder instanceof Error) return failed(io, folder);
  const log = await createLog('warn', io.stderr.isTTY === true);
  quietConsole(log);
  const target = join(folder, 'reaction.log');
  const { now, signal } = io;
  let traces: TraceService | null = null;
  try {
    const playing = { recording: recordingOf('reaction', 'reaction.log'), target, now, signal };
    await prepareReplay(playing);
    for (const { type } of STORES) await mkdir(join(folder, type));
    traces = await replayTraces({ recording: recordingOf('cts', 'traces.ndjson'), now });
    const places = { folder, log: target, traces: traces.url };
    const types = await loadTypes();
    const config = (port: number) => demoConfig({ ...places, port }, types);
    const start = (at: number) => startApp({ config: config(at), ...types, log, env: io.env, now: io.now });
    const app = await listening(start, port);
    await app.ready;
    const stores = STORES.map(({ type, file, shape }) =>
      replayObjects({ recording: recordingOf(type, file), target: join(folder, type), shape, now, signal }),
    );
    const played = Promise.all([replay(playing), ...stores]);
    await write(io.stdout, greeting(app.url));
    await aborted(io.signal);
    await played;
    await app.close();
    return OK;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // There is no file in which it could be set.
    return await failed(io, text.replace('set listen.port to', 'set --port to'));
  } finally {
    await traces?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function temporaryFolder(): Promise<string | Error> {
  try {
    return await mkdtemp(join(tmpdir(), 'trailgauge-demo-'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new Error(`cannot make a folder in ${tmpdir()}: ${why}; set TMPDIR to one that can be written`, { cause });
  }
}

async function listening(start: (port: number) => Promise<App>, port: number | undefined): Promise<App> {
  if (port !== undefined) return start(port);
  try {
    return await start(DEFAULT_PORT);
  } catch (error) {
    const taken = error instanceof Error && error.message.startsWith('cannot listen');
    if (!taken) throw error;
    return start(0);
  }
}

function recordingOf(type: string, file: string): string {
  return join(packageRoot(), 'demo', type, file);
}

interface DemoPlaces {
  readonly folder: string;
  /** The log of reaction. */
  readonly log: string;
  /** Address of what stands for CTS. */
  readonly traces: string;
  readonly port: number;
}

/** The project whose traces were recorded. */
const PROJECT = 'b7a1d2c3e4f5061728394a5b6c7d8e9f';

function demoConfig({ folder, log, traces, port }: DemoPlaces, types: Types): Config {
  const stores = STORES.map(({ type }) => {
    const values = { top: 20, distinct: true };
    return [type, { directory: join(folder, type), interval: '1s', ...values }] as const;
  });
  const { config, errors } = readConfig(
    JSON.stringify({
      listen: { port },
      state: { directory: join(folder, 'state') },
      sources: {
        reaction: {
          config: recordingOf('reaction', 'test-config.yaml'),
          command: recordingOf('reaction', 'reaction'),
          logs: { file: log },
          hold: '0s',
        },
        ...Object.fromEntries(stores),
        cts: {
          endpoint: traces,
          region: 'eu-de',
          auth: { token: 'demo', project: PROJECT },
          interval: '2s',
          labels: ['operation'],
        },
      },
    }),
    { format: 'json', env: {}, types },
  );
  if (!config) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return config;
}

function greeting(url: string): string {
  return `trailgauge replays recordings of the reaction daemon, of Open Telekom Cloud's CTS, of S3 audit logs, of CloudTrail and
of Google Cloud logging as if they were live:

  ${url}/           what it does, for people
  ${url}/metrics    what it tells, for Prometheus

What to do next:
  1. Let Prometheus collect it:        static_configs: [{ targets: ['${new URL(url).host}'] }]
  2. See what becomes of a line:       echo 'INFO ssh.failedlogin: match ["192.0.2.1"]' | npx trailgauge explain reaction
  3. Run it on your own reaction:      npx trailgauge defaults > trailgauge.yaml && npx trailgauge -c trailgauge.yaml doctor

Ctrl-C ends it; nothing is left behind.
`;
}
