import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { cli } from '../support/cli.ts';
import { fill, smallDisk } from '../support/disk.ts';
import { readSamples } from '../support/exposition.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { type Answer, get } from '../support/http.ts';
import { seeded, seedOf } from '../support/random.ts';
import { receiveCases } from '../support/receive-cases.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 8;
const TOKEN = 'hunter2';
const EVENTS = 'trailgauge_source_events_total{source="ingest"}';
const seed = seedOf(20_261_122);

t.setTimeout(180_000);

/** The body of the trace that the fixture sends. */
const TRACE = JSON.parse(receiveCases().find(({ name }) => name === 'binary cts')?.body ?? '') as object;

/** A trace every third time, and another event otherwise. */
function body(id: number): string {
  const data =
    id % 3 === 0 ? { ...TRACE, trace_id: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}` } : { id };
  return JSON.stringify({ specversion: '1.0', id: `${id}`, source: '/cellar', type: 'winery.test', data });
}

function send(program: Program, ids: readonly number[]): Promise<Answer> {
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const url = `${program.url}/ingest/cloudevents?token=${TOKEN}`;
  return get(url, { method: 'POST', headers, body: `[${ids.map(body)}]` });
}

async function samplesOf(program: Program): Promise<Record<string, number>> {
  return readSamples((await get(`${program.url}/metrics`)).text);
}

function tracesIn(samples: Readonly<Record<string, number>>): number {
  const traces = Object.entries(samples).filter(([series]) => series.startsWith('cts_traces_total{'));
  return traces.reduce((sum, [, value]) => sum + value, 0);
}

t.test(`killed ${KILLS} times, as soon as it answered (seed ${seed}): what it took is counted, once`, async (t) => {
  const random = seeded(seed);
  const bulk = await fakeBulk(t);
  const { start } = home(t, {
    sources: { ingest: { cloudevents: { token: TOKEN } } },
    writers: { elasticsearch: { url: bulk.url, index: 'trails' } },
  });
  let next = 0;
  /** Sent, and not answered. */
  let open: (readonly number[])[] = [];
  const taken = new Set<number>();
  let logs = '';

  /** Sends what is open, and new events beside, until it is killed after an answer, or ended. */
  async function life(program: Program, isKilled: boolean): Promise<void> {
    for (let i = random.within(0, 12); i >= 0; i--) open.push([...Array(random.within(1, 4))].map(() => next++));
    const loads = open;
    open = [];
    const wanted = isKilled ? random.within(1, loads.length) : loads.length;
    let answers = 0;
    let isOver = false;
    const over = new Promise<void>((resolve) => {
      const sending = loads.map(async (ids) => {
        const answer = await send(program, ids).catch(() => null);
        if (answer?.status !== 202 || isOver) {
          open.push(ids);
          return;
        }
        for (const id of ids) taken.add(id);
        if (++answers < wanted) return;
        // Nothing that comes later is taken for an answer.
        isOver = isKilled;
        resolve();
      });
      void Promise.all(sending).then(() => resolve());
    });
    await over;
    if (isKilled) {
      await program.kill();
      // Until the last of them knows that it failed.
      await eventually('all to be heard of', async () => {
        await sleep(1);
        return open.length + answers >= loads.length;
      });
    }
    logs += program.log();
  }

  for (let kill = 0; kill < KILLS; kill++) {
    const program = await start();
    const found = await samplesOf(program);
    if (!((found[EVENTS] ?? 0) >= taken.size)) t.fail(`${taken.size} were taken, ${found[EVENTS]} are counted`);
    await life(program, true);
  }
  const program = await start();
  await life(program, false);
  t.equal(open.length, 0);
  t.equal(taken.size, next);
  // And all once more.
  for (let id = 0; id < next; id += 50) {
    const ids = [...Array(Math.min(50, next - id))].map((_, index) => id + index);
    t.equal((await send(program, ids)).status, 202);
  }
  const found = await samplesOf(program);
  t.equal(found[EVENTS], next);
  t.equal(tracesIn(found), Math.ceil(next / 3));
  await eventually('all to be delivered', () => bulk.documents.size === next);
  t.equal(await program.stop(), 0);
  logs += program.log();
  t.notMatch(logs, TOKEN, 'the token is in no log');
  t.comment(`${next} events`);
});

t.test('asked to end while it is sent to: what it took is counted, all else is sent again', async (t) => {
  const { start } = home(t, { sources: { ingest: { cloudevents: { token: TOKEN } } } });
  const before = await start();
  const statuses = new Map<number, number>();
  let isEnding = false;
  let next = 0;
  const sending = [...Array(8)].map(async () => {
    while (!isEnding || next < 100) {
      const id = next++;
      const answer = await send(before, [id]).catch(() => null);
      statuses.set(id, answer?.status ?? 0);
      if (answer === null) return;
    }
  });
  await eventually('some to be taken', () => statuses.size > 50);
  const ending = before.stop();
  isEnding = true;
  t.equal(await ending, 0);
  await Promise.all(sending);
  const taken = [...statuses.values()].filter((status) => status === 202).length;
  t.ok([...statuses.values()].every((status) => [202, 503, 0].includes(status)));
  const after = await start();
  const counted = (await samplesOf(after))[EVENTS] ?? 0;
  t.ok(counted >= taken, `${taken} were taken, ${counted} are counted`);
  for (const id of statuses.keys()) t.equal((await send(after, [id])).status, 202);
  t.equal((await samplesOf(after))[EVENTS], statuses.size);
});

t.test('while the disk is full nothing is taken, and afterwards nothing is counted twice', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const { start } = home(t, {
    state: { directory: join(disk, 'state') },
    sources: { ingest: { cloudevents: { token: TOKEN } } },
  });
  const program = await start();
  t.equal((await send(program, [0])).status, 202);
  const filler = fill(disk);
  let id = 1;
  await eventually('the disk to be noticed', async () => {
    const { status, headers } = await send(program, [id++]);
    if (status === 503) t.equal(headers['retry-after'], '5');
    return status === 503;
  });
  t.equal(
    (await send(program, [id - 1])).status,
    503,
    'a repeat of what is counted, but not saved, is no success either',
  );
  filler.remove();
  await eventually('room', async () => (await send(program, [id - 1])).status === 202);
  t.equal((await samplesOf(program))[EVENTS], id);
  await program.kill();
  const again = await start();
  t.equal((await samplesOf(again))[EVENTS], id);
});

t.test('it does not start where anybody could send to it', async (t) => {
  const { run } = home(t, { listen: { address: '0.0.0.0', port: 0 }, sources: { ingest: { cloudevents: {} } } });
  const { code, stderr } = await run('start');
  t.equal(code, 2);
  t.match(stderr, /sources\.ingest\.cloudevents\.token: found none, with listen\.address "0\.0\.0\.0", wanted a token/);
});

t.test('explain tells what becomes of an event', async (t) => {
  const lines = [body(0), body(1), '{'].join('\n');
  const { code, stdout } = await cli(['explain', 'ingest', '-c', '/dev/null'], { stdin: lines });
  t.equal(code, 0);
  t.match(stdout, /^winery\.test 0 of \/cellar\n {2}event: \{.*"dataset":"cts"/);
  t.match(stdout, 'cts_traces_total{');
  t.match(stdout, /winery\.test 1 of \/cellar\n {2}event: \{.*"kind":"cloudevent"/);
  t.match(stdout, 'rejected: malformed');
});
