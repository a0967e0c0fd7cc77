import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineRun } from './engine-run.ts';
import { count, type Row, time, times } from './report.ts';

interface Aims {
  readonly size: number;
  readonly rounds: number;
  readonly scrape?: number;
  readonly byLabels?: number;
  readonly kept?: number;
  readonly born?: number;
}

const CONTESTS: readonly Aims[] = [
  { size: 10_000, rounds: 3, byLabels: 4, kept: 10, born: 2 },
  { size: 100_000, rounds: 3, scrape: 40, born: 2 },
  { size: 1_000_000, rounds: 2, scrape: 20, byLabels: 2, born: 2 },
];
/** Longest that the event loop may stand still during a scrape, in seconds. */
const WANTED_STILL = 0.05;
const WANTED_MEMORY = 0.5;

/** The metrics engine against prom-client: counting in known series and new ones, showing many, and holding them. */
export async function measureEngine(): Promise<readonly Row[]> {
  return CONTESTS.flatMap(rowsOf);
}

function rowsOf({ size, rounds, ...aims }: Aims): readonly Row[] {
  const runs = Array.from({ length: rounds }, () => [run('trailgauge', size), run('prom-client', size)] as const);
  const us = bestOf(runs.map(([ours]) => ours));
  const them = bestOf(runs.map(([, theirs]) => theirs));
  const series = `${count(size)} series`;
  const compared = (what: string, key: 'scrape' | 'scrapeFew' | 'byLabels' | 'kept' | 'born', aim?: number): Row => {
    // prom-client has one way to count in a series, and it is by its labels.
    const theirs = key === 'kept' ? them.byLabels : them[key];
    const ratio = theirs / us[key];
    return {
      what,
      measured: time(us[key]),
      comparedWith: `prom-client: ${time(theirs)}`,
      ratio: times(ratio),
      ...(aim !== undefined && { wanted: `≥ ${aim} ×`, met: ratio >= aim }),
    };
  };
  const memory = us.memory / them.memory;
  return [
    compared(
      `scrape of ${series}, four labels (${(us.bytes / 1e6).toFixed(1)} MB), all changed`,
      'scrape',
      aims.scrape,
    ),
    compared('the same, one in a hundred changed', 'scrapeFew', aims.scrape),
    {
      what: 'the same, longest stop of the event loop',
      measured: time(us.still),
      comparedWith: `prom-client: ${time(them.still)}`,
      ratio: times(them.still / us.still),
      wanted: `< ${time(WANTED_STILL)}`,
      met: us.still < WANTED_STILL,
    },
    compared(`one \`inc\` among ${series}, by labels`, 'byLabels', aims.byLabels),
    compared('the same, kept (prom-client by labels)', 'kept', aims.kept),
    compared(`one series more, of ${series}`, 'born', aims.born),
    {
      what: `memory of one of ${series}, after scrapes`,
      measured: `${count(us.memory)} B`,
      comparedWith: `prom-client: ${count(them.memory)} B`,
      ratio: times(memory),
      ...(size > 10_000 && { wanted: `≤ ${WANTED_MEMORY} ×`, met: memory <= WANTED_MEMORY }),
    },
    {
      what: 'memory of three scrapes beside a first one',
      measured: `${(us.together / 1e6).toFixed(1)} MB`,
      comparedWith: `prom-client: ${(them.together / 1e6).toFixed(1)} MB`,
    },
  ];
}

/** Each figure at its best: whatever else the machine does can only make them worse. */
function bestOf(runs: readonly EngineRun[]): EngineRun {
  const least = (key: keyof EngineRun) => Math.min(...runs.map((one) => one[key]));
  return {
    born: least('born'),
    byLabels: least('byLabels'),
    kept: least('kept'),
    scrape: least('scrape'),
    scrapeFew: least('scrapeFew'),
    still: least('still'),
    bytes: least('bytes'),
    memory: least('memory'),
    together: least('together'),
  };
}

function run(contender: 'trailgauge' | 'prom-client', size: number): EngineRun {
  const program = fileURLToPath(new URL('./engine-run.js', import.meta.url));
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', '--max-old-space-size=8192', program, contender, String(size)],
    { encoding: 'utf8' },
  );
  // What `engine-run.ts` writes.
  return JSON.parse(output) as EngineRun;
}
