import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { best, contest, type Result } from './contest.ts';
import { inputFolder } from './inputs.ts';
import { FOLDER, missing, TRAILGAUGE } from './programs.ts';
import { count, type Row, time, times } from './report.ts';
import { readSeries } from './trailgauge.ts';

const TRACES = 200_000;
const ROUNDS = 3;
const WANTED_RATE = 20_000;
const BUILT = join(FOLDER, '..', 'dist', 'bench');

/** Traces of CTS, page after page of a service on this machine, through metrics on one core. */
export async function measureCts(): Promise<readonly Row[]> {
  const what = `${count(TRACES)} traces of CTS by the API, 200 a page, on one core`;
  const lacking = missing('time', 'taskset');
  if (lacking) return [{ what, measured: lacking }];
  const folder = inputFolder({ kind: 'cts', version: 1 });
  const services = await Promise.all([TRACES, 0].map(startService));
  try {
    const [full, empty] = services.map(({ url }, index) => trailgauge(folder, { url, name: `${index}` }));
    const [url] = services.map((service) => service.url);
    const bare = onOneCore('bare loop', [join(BUILT, 'bare-traces.js'), url ?? '']);
    const results = (await contest([full!, bare, empty!], ROUNDS)) as [Result, Result, Result];
    const [us, loop, start] = results;
    const counted = [...readSeries(full!.output)].filter(([name]) => name.startsWith('cts_traces_total'));
    const traces = counted.reduce((sum, [, value]) => sum + value, 0);
    if (traces !== TRACES) throw new Error(`found ${traces} traces, wanted ${TRACES}`);
    const rate = TRACES / (best(us.seconds) - best(start.seconds));
    return [
      {
        what: `${what}, best of ${ROUNDS}`,
        measured: time(best(us.seconds)),
        comparedWith: `ask, \`JSON.parse\`, count: ${time(best(loop.seconds))}`,
        ratio: times(best(loop.seconds) / best(us.seconds)),
      },
      {
        what: `the same, traces a second, without the ${time(best(start.seconds))} that the program takes to start`,
        measured: count(rate),
        wanted: `≥ ${count(WANTED_RATE)}`,
        met: rate >= WANTED_RATE,
      },
      {
        what: 'the same, most memory held',
        measured: `${count(us.peakMb)} MB`,
        comparedWith: `${count(loop.peakMb)} MB`,
      },
    ];
  } finally {
    for (const { child } of services) child.kill();
  }
}

async function startService(traces: number): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn('taskset', ['-c', '0', process.execPath, join(BUILT, 'trace-service.js'), String(traces)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout!, 'data')) as [Buffer];
  return { url: text.toString().trim(), child };
}

function trailgauge(folder: string, { url, name }: { readonly url: string; readonly name: string }) {
  const config = join(folder, `${name}.json`);
  const auth = { token: 'token', project: 'b7a1d2c3e4f5061728394a5b6c7d8e9f' };
  const cts = { endpoint: url, region: 'eu-de', auth, labels: ['operation'] };
  writeFileSync(config, JSON.stringify({ log: { level: 'warn' }, sources: { cts } }));
  const args = [TRAILGAUGE, '-c', config, '-f', 'json', 'once', '--since', '3h'];
  return { ...onOneCore(`trailgauge once (${name})`, args), output: join(folder, `${name}.prom`) };
}

function onOneCore(name: string, args: readonly string[]) {
  return { name, command: 'taskset', args: ['-c', '1', process.execPath, ...args] };
}
