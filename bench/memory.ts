import { join } from 'node:path';
import { contest, type Result } from './contest.ts';
import { cached, inputFolder, writeText } from './inputs.ts';
import { missing } from './programs.ts';
import { count, type Row, times } from './report.ts';
import { readSeries, trailgaugeOnce } from './trailgauge.ts';

const MEGABYTES = 100;
const WANTED_MB = 300;

/** A line that does not end: what is held of it has a bound. */
export async function measureMemory(): Promise<readonly Row[]> {
  const what = `most memory held with one line of ${MEGABYTES} MB and no line feed`;
  const lacking = missing('time');
  if (lacking) return [{ what, measured: lacking }];
  const long = await onceOn('long line', repeated('x'.repeat(1_000_000), MEGABYTES));
  const empty = await onceOn('empty', []);
  const reasons = readSeries(long.output);
  const refused = reasons.get('trailgauge_source_rejected_total{reason="too_long",source="reaction"}');
  if (refused !== 1) throw new Error(`long line: found ${refused} refused, wanted 1`);
  return [
    {
      what,
      measured: `${count(long.peakMb)} MB`,
      comparedWith: `an empty file: ${count(empty.peakMb)} MB`,
      ratio: times(long.peakMb / empty.peakMb),
      wanted: `< ${WANTED_MB} MB`,
      met: long.peakMb < WANTED_MB,
    },
  ];
}

async function onceOn(kind: string, pieces: Iterable<string>): Promise<Result & { readonly output: string }> {
  const folder = inputFolder({ kind, version: 1, megabytes: MEGABYTES });
  const file = await cached(join(folder, 'input.txt'), (path) => writeText(path, pieces));
  const ours = trailgaugeOnce(folder, { file });
  const [result] = (await contest([ours], 1)) as [Result];
  return { ...result, output: ours.output };
}

function* repeated(piece: string, many: number): Generator<string> {
  for (let i = 0; i < many; i++) yield piece;
}
