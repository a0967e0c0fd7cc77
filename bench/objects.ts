import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { best, type Contender, contest, median, type Result } from './contest.ts';
import { blocks, cached, inputFolder, sizeOf } from './inputs.ts';
import { lyveRecords } from './lyve-records.ts';
import { FOLDER, missing, TRAILGAUGE } from './programs.ts';
import { count, type Row, time, times } from './report.ts';
import { readSeries } from './trailgauge.ts';

const LOG = { seed: 1, records: 300_000, buckets: 40, begin: Date.UTC(2024, 1, 1, 10) };
const KEY = 'February-2024/S3-shop-2024-02-01-11-00-00.gz';
const BARE_LOOP = join(FOLDER, '..', 'dist', 'bench', 'bare-loop.js');
const ROUNDS = 9;
const WANTED_RATE = 150_000;
const WANTED_RATIO = 0.9;
const WANTED_MB = 250;

/** S3 audit records of Lyve Cloud in one object, on one core: against the plainest loop that parses and counts. */
export async function measureObjects(): Promise<readonly Row[]> {
  const what = `${count(LOG.records)} S3 audit records in one object, on one core`;
  const lacking = missing('time', 'taskset');
  if (lacking) return [{ what, measured: lacking }];
  const folder = inputFolder({ kind: 'lyve', version: 2, ...LOG });
  const bucket = join(folder, 'bucket');
  mkdirSync(dirname(join(bucket, KEY)), { recursive: true });
  const object = await cached(join(bucket, KEY), (path) =>
    pipeline(Readable.from(blocks(lyveRecords(LOG))), createGzip(), createWriteStream(path)),
  );
  const nothing = join(folder, 'nothing');
  mkdirSync(nothing, { recursive: true });
  const ours = trailgauge(folder, bucket);
  const loop = { name: 'bare loop', command: process.execPath, args: [BARE_LOOP, object] };
  const contenders = [onOneCore(ours), onOneCore(loop), onOneCore(trailgauge(folder, nothing)), ours, loop];
  const results = (await contest(contenders, ROUNDS)) as [Result, Result, Result, Result, Result];
  const [us, bare, start, usOnTwo, bareOnTwo] = results;
  const counted = [...readSeries(ours.output)].filter(([name]) => name.startsWith('s3_requests_total'));
  const records = counted.reduce((sum, [, value]) => sum + value, 0);
  if (records !== LOG.records) throw new Error(`found ${records} records, wanted ${LOG.records}`);
  const rate = LOG.records / (best(us.seconds) - best(start.seconds));
  return [
    {
      what: `${what} (${count(sizeOf(object) / 1e6)} MB packed), best of ${ROUNDS}`,
      measured: time(best(us.seconds)),
      comparedWith: `unpack, split, \`JSON.parse\`, count: ${time(best(bare.seconds))}`,
      ratio: times(best(bare.seconds) / best(us.seconds)),
      wanted: `≥ ${WANTED_RATIO} ×`,
      met: best(bare.seconds) >= WANTED_RATIO * best(us.seconds),
    },
    {
      what: 'the same, median',
      measured: time(median(us.seconds)),
      comparedWith: time(median(bare.seconds)),
      ratio: times(median(bare.seconds) / median(us.seconds)),
    },
    {
      what: `the same, records a second, without the ${time(best(start.seconds))} that the program takes to start`,
      measured: count(rate),
      wanted: `≥ ${count(WANTED_RATE)}`,
      met: rate >= WANTED_RATE,
    },
    {
      what: 'the same, on all cores: it unpacks on one of them and reads on another',
      measured: time(best(usOnTwo.seconds)),
      comparedWith: time(best(bareOnTwo.seconds)),
      ratio: times(best(bareOnTwo.seconds) / best(usOnTwo.seconds)),
    },
    {
      what: 'the same, most memory held',
      measured: `${count(Math.max(us.peakMb, usOnTwo.peakMb))} MB`,
      comparedWith: `${count(bareOnTwo.peakMb)} MB`,
      ratio: times(bareOnTwo.peakMb / usOnTwo.peakMb),
      wanted: `< ${WANTED_MB} MB`,
      met: Math.max(us.peakMb, usOnTwo.peakMb) < WANTED_MB,
    },
  ];
}

function trailgauge(folder: string, bucket: string): Contender & { readonly output: string } {
  const name = basename(bucket);
  const config = join(folder, `${name}.json`);
  writeFileSync(config, JSON.stringify({ log: { level: 'warn' }, sources: { 's3-audit': { directory: bucket } } }));
  return {
    name: `trailgauge once (${name})`,
    command: process.execPath,
    args: [TRAILGAUGE, '-c', config, '-f', 'json', 'once'],
    output: join(folder, `${name}.prom`),
  };
}

function onOneCore(contender: Contender): Contender {
  const { name, command, args } = contender;
  return { ...contender, name: `${name} on one core`, command: 'taskset', args: ['-c', '1', command, ...args] };
}
