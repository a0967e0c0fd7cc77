import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Event } from '../src/core/event.ts';
import type { OpenedWriter } from '../src/core/writer.ts';
import { neo4j } from '../src/writers/neo4j/index.ts';
import { program } from '../test/support/services.ts';
import { freePort } from '../test/support/time-series.ts';
import { median } from './contest.ts';
import { count, type Row } from './report.ts';

const BATCH = 1_000;
/** The server compiles its code while it runs: what these took is not looked at. */
const WARMING = 40;
const MEASURED = 40;
const WANTED = 5_000;

/** The writer `neo4j` and a real server on this machine: events that are new, then the same again, in both models. */
export async function measureNeo4j(): Promise<readonly Row[]> {
  const launcher = program('neo4j');
  if (launcher === null) return [{ what: 'neo4j: not here, see test/services/neo4j.sh', measured: '-' }];
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-bench-neo4j-'));
  const port = await freePort();
  mkdirSync(join(folder, 'conf'));
  writeFileSync(join(folder, 'conf', 'neo4j.conf'), settings(port));
  const server = spawn(launcher, [folder, '-Xmx1g'], { stdio: 'ignore' });
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  try {
    const rows: Row[] = [];
    for (const model of ['trails', 'cloudtrace']) rows.push(...(await measureModel(`bolt://127.0.0.1:${port}`, model)));
    return rows;
  } finally {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    kill();
    await ended;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measureModel(uri: string, model: string): Promise<readonly Row[]> {
  const config = neo4j.config.parse({ uri, model });
  const writer = neo4j.open(config, { name: 'neo4j', log: pino({ level: 'silent' }), env: {}, now: Date.now });
  try {
    await write(writer, [traceAt(0)], 120);
    const [first, again] = [await rounds(writer), await rounds(writer)];
    return [
      {
        what: `neo4j: new events, model ${model}`,
        measured: rate(first.slice(WARMING)),
        ...(model === 'trails' && { wanted: `> ${count(WANTED)}/s`, met: perSecond(first.slice(WARMING)) > WANTED }),
      },
      { what: `neo4j: the same again, model ${model}`, measured: rate(again) },
    ];
  } finally {
    await writer.close();
  }
}

/** Seconds of each batch. */
async function rounds(writer: OpenedWriter): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < WARMING + MEASURED; round++) {
    const events = Array.from({ length: BATCH }, (_, index) => traceAt(round * BATCH + index));
    const began = performance.now();
    await write(writer, events, 1);
    seconds.push((performance.now() - began) / 1_000);
  }
  return seconds;
}

async function write(writer: OpenedWriter, events: readonly Event[], tries: number): Promise<void> {
  for (let left = tries; ; left--) {
    const written = await writer.write(events, new AbortController().signal);
    if (written.kind === 'done' && written.dead.length === 0) return;
    if (left <= 1) throw new Error(`neo4j: ${JSON.stringify(written).slice(0, 300)}`);
    await sleep(1_000);
  }
}

/** 200 people with an address and ten volumes each, one of a hundred calls refused. */
function traceAt(index: number): Event {
  const person = index % 200;
  const [user, volume, address] = [`user ${person}`, `vol-${person}-${index % 10}`, `203.0.113.${person}`];
  return {
    id: `${((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-e70f-11f0-9c00-02f1a7c40000`,
    time: 1_767_268_800_000 + index * 1_000,
    source: 'cts',
    action: 'createVolume',
    outcome: index % 100 === 0 ? 'denied' : 'ok',
    actor: { type: 'user', id: user, name: user, address },
    target: { type: 'evs', id: volume, name: volume },
    scope: { type: 'project', id: 'b7a1d2c3e4f5061728394a5b6c7d8e9f' },
    data: {
      dataset: 'cts',
      severity: 'info',
      rating: 'normal',
      code: '202',
      service: 'EVS',
      resourceType: 'evs',
      resourceId: volume,
      resourceName: volume,
      traceType: 'ApiCall',
      userId: user,
      userName: user,
      userDomain: '0c1d2e3f405162738495a6b7c8d9eafb',
      region: 'eu-de',
      account: '0c1d2e3f405162738495a6b7c8d9eafb',
    },
  };
}

function settings(port: number): string {
  return [
    `server.bolt.listen_address=127.0.0.1:${port}`,
    `server.bolt.advertised_address=127.0.0.1:${port}`,
    'dbms.security.auth_enabled=false',
    'server.http.enabled=false',
    'server.https.enabled=false',
    'dbms.usage_report.enabled=false',
    '',
  ].join('\n');
}

function perSecond(seconds: readonly number[]): number {
  return BATCH / median(seconds.toSorted((a, b) => a - b));
}

function rate(seconds: readonly number[]): string {
  return `${count(Math.round(perSecond(seconds)))} events/s`;
}
