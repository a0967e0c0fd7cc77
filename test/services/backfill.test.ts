import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cli, file, folder } from '../support/cli.ts';
import { get } from '../support/http.ts';
import { seeded, seedOf } from '../support/random.ts';
import { need, program } from '../support/services.ts';
import { parseHistory } from '../support/strict-history.ts';
import { freePort, startServer } from '../support/time-series.ts';
import { eventually } from '../support/trailgauge.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const DAYS = 7;
const seed = seedOf(20_261_121);

t.setTimeout(180_000);

/** A request as the log tells it. */
interface Request {
  readonly id: string;
  /** Milliseconds since 1970, a whole second. */
  readonly time: number;
  readonly bucket: string;
  readonly api: string;
  readonly code: number;
  readonly ms: number;
}

/** A server that holds the history, and can be asked as Prometheus can. */
interface Holder {
  readonly name: string;
  readonly url: string;
}

t.test(`what two servers make of a week (seed ${seed})`, async (t) => {
  if (!need(t, 'prometheus', 'promtool')) return;
  const until = Math.floor(Date.now() / DAY) * DAY;
  const since = until - DAYS * DAY;
  const requests = inventRequests(since, until);
  const place = folder(t);
  const logs = join(place, 'logs');
  mkdirSync(logs);
  // All of it arrives now, and each hour in two objects.
  for (let hour = since - HOUR; hour <= until; hour += HOUR) {
    const lines = requests.filter(({ time }) => time >= hour && time < hour + HOUR).map(lineOf);
    const name = new Date(hour).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
    file(logs, `${name}-AAAA`, lines.filter((_, index) => index % 3 === 0).join(''));
    file(logs, `${name}-BBBB`, lines.filter((_, index) => index % 3 > 0).join(''));
  }
  const sources = { 's3-audit': { directory: logs, layout: 'flat' } };
  const config = file(place, 'c.json', JSON.stringify({ sources }));
  const output = join(place, 'history.om');
  const span = ['--since', new Date(since).toISOString(), '--until', new Date(until).toISOString(), '--step', '30m'];
  const { code, stderr } = await cli(['-c', config, 'backfill', ...span, '--output', output]);
  t.equal(code, 0, stderr);
  parseHistory(readFileSync(output, 'utf8'));

  const holders = [await holdInPrometheus(t, output)];
  if (need(t, 'victoria-metrics')) holders.push(await holdInVictoria(t, output, until));
  const truth = requests.filter(({ time }) => time >= since && time < until);
  for (const holder of holders) await t.test(holder.name, (t) => check(t, { holder, truth, since, until }));
});

interface Outcome {
  readonly holder: Holder;
  readonly truth: readonly Request[];
  readonly since: number;
  readonly until: number;
}

const ERRORS = new Set([403, 404, 500, 503]);

async function check(t: Test, { holder, truth, since, until }: Outcome): Promise<void> {
  const days = Array.from({ length: DAYS }, (_, index) => since + (index + 1) * DAY);
  const ofDay = (end: number) => truth.filter(({ time }) => time >= end - DAY && time < end);
  const daily = (query: string) => askRange(holder, query, { from: days[0]!, to: until, stepMs: DAY });
  const wanted = (label: 'api' | 'bucket', figure: (requests: readonly Request[]) => number) =>
    new Map(
      days.flatMap((end) =>
        [...grouped(ofDay(end), (request) => request[label])].map(
          ([name, requests]) => [`${name} ${end}`, figure(requests)] as const,
        ),
      ),
    );
  const mean = (requests: readonly Request[]) => sum(requests.map(({ ms }) => ms)) / requests.length;
  const ALL = '{bucket!=""}';

  same(
    t,
    await daily(
      `1000 * sum by (api) (increase(s3_request_duration_seconds_sum${ALL}[1d])) / sum by (api) (increase(s3_request_duration_seconds_count${ALL}[1d]))`,
    ),
    wanted('api', mean),
    'mean by API and day',
  );
  const api = '{api="REST.GET.OBJECT"}';
  same(
    t,
    await daily(
      `1000 * sum by (bucket) (increase(s3_request_duration_seconds_sum${api}[1d])) / sum by (bucket) (increase(s3_request_duration_seconds_count${api}[1d]))`,
    ),
    new Map(
      days.flatMap((end) =>
        [...grouped(ofDay(end), ({ bucket }) => bucket)].map(
          ([name, requests]) =>
            [`${name} ${end}`, mean(requests.filter((request) => request.api === 'REST.GET.OBJECT'))] as const,
        ),
      ),
    ),
    'mean by bucket of one API',
  );
  same(
    t,
    await daily('sum by (bucket) (increase(s3_requests_total{bucket!="",code=~"4..|5..",code!="499"}[1d]))'),
    wanted('bucket', (requests) => requests.filter(({ code }) => ERRORS.has(code)).length),
    'errors by bucket and day',
  );
  const calls = `sum by (bucket) (increase(s3_requests_total${ALL}[1d]))`;
  same(
    t,
    await daily(calls),
    wanted('bucket', ({ length }) => length),
    'calls by bucket and day',
  );
  same(
    t,
    await ask(holder, `sum by (bucket) (increase(s3_requests_total${ALL}[${DAYS}d]))`, until),
    new Map([...grouped(truth, ({ bucket }) => bucket)].map(([bucket, { length }]) => [bucket, length])),
    'calls by bucket in all',
  );
  same(
    t,
    await ask(holder, `1000 * max by (api) (max_over_time(s3_request_duration_seconds_max${ALL}[${DAYS}d]))`, until),
    new Map(
      [...grouped(truth, (request) => request.api)].map(([name, requests]) => [
        name,
        Math.max(...requests.map(({ ms }) => ms)),
      ]),
    ),
    'maximum by API',
  );
  const hours = Array.from({ length: DAYS * 24 }, (_, index) => since + (index + 1) * HOUR);
  same(
    t,
    await askRange(holder, `sum(increase(s3_requests_total${ALL}[1h]))`, { from: hours[0]!, to: until, stepMs: HOUR }),
    new Map(hours.map((end) => [` ${end}`, truth.filter(({ time }) => time >= end - HOUR && time < end).length])),
    'calls by hour',
  );
}

function same(t: Test, found: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, number>, name: string): void {
  const rounded = (values: ReadonlyMap<string, number>) =>
    Object.fromEntries([...values].map(([key, value]) => [key, Number(value.toPrecision(9))]).sort());
  t.ok(wanted.size > 0);
  t.same(rounded(found), rounded(wanted), name);
}

/** Among them some at the very ends of days and hours. */
function inventRequests(since: number, until: number): readonly Request[] {
  const random = seeded(seed);
  const times = [since - 1_000, until];
  for (let hour = since; hour < until; hour += HOUR) times.push(hour, hour + 1_000, hour + HOUR - 1_000);
  while (times.length < 4_000) times.push(since + 1_000 * random.within(0, (until - since) / 1_000 - 1));
  return times
    .sort((one, other) => one - other)
    .map((time, index) => ({
      id: `R${index}`,
      time,
      bucket: random.pick(['pics', 'docs']),
      api: random.pick(['REST.GET.OBJECT', 'REST.PUT.OBJECT']),
      code: random.pick([200, 200, 204, 403, 404, 499, 500, 503]),
      ms: random.within(1, 100_000),
    }));
}

/** As a line of an AWS server access log. */
function lineOf({ id, time, bucket, api, code, ms }: Request): string {
  const [day, month, year, clock] = new Date(time).toUTCString().slice(5, 25).split(' ');
  return `ab12 ${bucket} [${day}/${month}/${year}:${clock} +0000] 192.0.2.7 ana ${id} ${api} k "GET /k HTTP/1.1" ${code} - 20 40 ${ms} 1 "-" "sdk" -\n`;
}

async function holdInPrometheus(t: Test, output: string): Promise<Holder> {
  const place = folder(t);
  const data = join(place, 'data');
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', output, data];
  const { status, stderr } = spawnSync(program('promtool') ?? '', args, { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await startServer(
    t,
    'prometheus',
    [
      `--config.file=${file(place, 'empty.yml', '')}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=30d',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    `${url}/-/ready`,
  );
  return { name: 'prometheus', url };
}

async function holdInVictoria(t: Test, output: string, until: number): Promise<Holder> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [`-storageDataPath=${join(folder(t), 'data')}`, `-httpListenAddr=127.0.0.1:${port}`];
  await startServer(t, 'victoria-metrics', args, `${url}/health`);
  const answer = await fetch(`${url}/api/v1/import/prometheus`, { method: 'POST', body: readFileSync(output) });
  t.equal(answer.status, 204);
  const holder = { name: 'victoria-metrics', url };
  await eventually('what was imported to be seen', async () => {
    await get(`${url}/internal/force_flush`);
    return (await ask(holder, 'count(s3_requests_total)', until)).size > 0;
  });
  return holder;
}

type Answer = readonly { readonly metric: Readonly<Record<string, string>>; readonly values: [number, string][] }[];

/** Values by the values of all labels, and the time in milliseconds. */
async function askRange(
  { url }: Holder,
  query: string,
  { from, to, stepMs }: { readonly from: number; readonly to: number; readonly stepMs: number },
): Promise<ReadonlyMap<string, number>> {
  const range = `start=${from / 1_000}&end=${to / 1_000}&step=${stepMs / 1_000}&nocache=1`;
  const { text } = await get(`${url}/api/v1/query_range?query=${encodeURIComponent(query)}&${range}`);
  const { result } = (JSON.parse(text) as { data: { result: Answer } }).data;
  return new Map(
    result.flatMap(({ metric, values }) =>
      values.map(([time, value]) => [`${Object.values(metric).join()} ${time * 1_000}`, Number(value)] as const),
    ),
  );
}

/** Values at one time, by the values of all labels. */
async function ask({ url }: Holder, query: string, time: number): Promise<ReadonlyMap<string, number>> {
  const { text } = await get(`${url}/api/v1/query?query=${encodeURIComponent(query)}&time=${time / 1_000}&nocache=1`);
  const { result } = (
    JSON.parse(text) as { data: { result: { metric: Record<string, string>; value: [number, string] }[] } }
  ).data;
  return new Map(result.map(({ metric, value }) => [Object.values(metric).join(), Number(value[1])]));
}

function grouped(requests: readonly Request[], keyOf: (request: Request) => string): Map<string, Request[]> {
  const groups = new Map<string, Request[]>();
  for (const request of requests) {
    const group = groups.get(keyOf(request));
    if (group) group.push(request);
    else groups.set(keyOf(request), [request]);
  }
  return groups;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
