import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { best, type Contender, contest, median, type Result } from './contest.ts';
import { cached, inputFolder, sizeOf, writeText } from './inputs.ts';
import { FOLDER, findProgram, missing } from './programs.ts';
import { reactionLines } from './reaction-lines.ts';
import { count, type Row, time, times } from './report.ts';
import { readSeries, trailgaugeOnce } from './trailgauge.ts';

const LOG = { seed: 1, lines: 1_000_000, addresses: 20_000 };
const ROUNDS = 5;
/** Of whole runs, and of reading alone. */
const WANTED_TIMES = 6;
const WANTED_READING = 10;
const WANTED_MB = 300;

/** A log of reaction, read whole: against mtail with the same metrics, and against counting its lines. */
export async function measureReaction(): Promise<readonly Row[]> {
  const what = `${count(LOG.lines)} lines of reaction's log`;
  const lacking = missing('time', 'mtail', 'wc');
  if (lacking) return [{ what, measured: lacking }];
  const folder = inputFolder({ kind: 'reaction file', version: 1, ...LOG });
  const log = await cached(join(folder, 'input.txt'), (path) => writeText(path, reactionLines(LOG)));
  const ours = trailgaugeOnce(folder, { file: log });
  const theirs = mtail(folder, log);
  const withValues = trailgaugeOnce(folder, { file: log }, { values: true });
  const small = inputFolder({ kind: 'reaction file', version: 1, ...LOG, lines: 0 });
  const nothing = await cached(join(small, 'input.txt'), (path) => writeText(path, []));
  const idle = [trailgaugeOnce(small, { file: nothing }), mtail(small, nothing)];
  const contenders = [ours, theirs, wc(log), withValues, ...idle];
  const results = (await contest(contenders, ROUNDS)) as [Result, Result, Result, Result, Result, Result];
  const [us, them, counting, more, usIdle, themIdle] = results;
  const [reading, theirReading] = [
    best(us.seconds) - best(usIdle.seconds),
    best(them.seconds) - best(themIdle.seconds),
  ];
  const series = sameSeries(ours.output, theirs.output);
  return [
    {
      what: `${what} (${count(sizeOf(log) / 1e6)} MB, ${count(series)} series), best of ${ROUNDS}`,
      measured: time(best(us.seconds)),
      comparedWith: `mtail: ${time(best(them.seconds))}`,
      ratio: times(best(them.seconds) / best(us.seconds)),
      wanted: `≥ ${WANTED_TIMES} ×`,
      met: best(them.seconds) >= WANTED_TIMES * best(us.seconds),
    },
    {
      what: 'the same, median',
      measured: time(median(us.seconds)),
      comparedWith: `mtail: ${time(median(them.seconds))}`,
      ratio: times(median(them.seconds) / median(us.seconds)),
    },
    {
      what: 'the same, best, without what each takes for a log without lines: reading alone',
      measured: time(reading),
      comparedWith: `mtail: ${time(theirReading)}`,
      ratio: times(theirReading / reading),
      wanted: `≥ ${WANTED_READING} ×`,
      met: theirReading >= WANTED_READING * reading,
    },
    {
      what: 'the same, with the most frequent values and the numbers of different ones, which mtail does not have',
      measured: time(best(more.seconds)),
      comparedWith: `mtail without: ${time(best(them.seconds))}`,
      ratio: times(best(them.seconds) / best(more.seconds)),
    },
    {
      what: 'the same, time of the processor, best',
      measured: time(best(us.cpuSeconds)),
      comparedWith: `mtail: ${time(best(them.cpuSeconds))}`,
      ratio: times(best(them.cpuSeconds) / best(us.cpuSeconds)),
    },
    {
      what: 'the same, lines a second',
      measured: count(LOG.lines / best(us.seconds)),
      comparedWith: `\`wc -l\`: ${count(LOG.lines / best(counting.seconds))}`,
      ratio: times(best(counting.seconds) / best(us.seconds)),
    },
    {
      what: 'the same, most memory held',
      measured: `${count(us.peakMb)} MB, with these ${count(more.peakMb)} MB`,
      comparedWith: `mtail: ${count(them.peakMb)} MB`,
      ratio: times(them.peakMb / us.peakMb),
      wanted: `< ${WANTED_MB} MB`,
      met: more.peakMb < WANTED_MB,
    },
  ];
}

function mtail(folder: string, log: string): Contender & { readonly output: string } {
  const programs = join(folder, 'mtail');
  mkdirSync(programs, { recursive: true });
  copyFileSync(join(FOLDER, 'reaction.mtail'), join(programs, 'reaction.mtail'));
  return {
    name: 'mtail',
    command: findProgram('mtail') ?? 'mtail',
    args: [
      '--one_shot',
      '--one_shot_format=prometheus',
      '--emit_prog_label=false',
      '--address=127.0.0.1',
      '--port=0',
      '--logtostderr',
      `--progs=${programs}`,
      `--logs=${log}`,
    ],
    output: join(folder, 'mtail.prom'),
  };
}

function wc(log: string): Contender {
  return { name: 'wc', command: findProgram('wc') ?? 'wc', args: ['-l', log] };
}

/** The number of series that mtail found; throws if trailgauge found anything else in one of them. */
function sameSeries(ours: string, theirs: string): number {
  const found = readSeries(ours);
  const wanted = readSeries(theirs);
  for (const [name, value] of wanted) {
    if (found.get(name) !== value)
      throw new Error(`${name}: found ${found.get(name)}, wanted ${value} as mtail has it`);
  }
  return wanted.size;
}
