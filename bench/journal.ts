import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { journalArguments } from '../src/lib/journal-child.ts';
import { best, contest, median, type Result } from './contest.ts';
import { blocks, cached, inputFolder } from './inputs.ts';
import { findProgram, missing } from './programs.ts';
import { reactionLines } from './reaction-lines.ts';
import { count, type Row, time, times } from './report.ts';
import { readSeries, trailgaugeOnce } from './trailgauge.ts';

/** So many that starting the program is a small part of it. */
const LOG = { seed: 2, lines: 1_000_000, addresses: 20_000 };
const UNIT = 'reaction.service';
const ROUNDS = 5;
const WANTED_RATIO = 0.8;
const WANTED_RATE = 150_000;

/** A journal of reaction's unit, read whole: against `journalctl` writing what is read of it to nowhere. */
export async function measureJournal(): Promise<readonly Row[]> {
  const what = `${count(LOG.lines)} entries of a journal, ${Object.keys(entryFields(0, '')).length} fields each`;
  const lacking = missing('time', 'journalctl', 'systemd-journal-remote');
  if (lacking) return [{ what, measured: lacking }];
  const folder = inputFolder({ kind: 'journal', version: 1, ...LOG });
  const directory = join(folder, 'journal');
  mkdirSync(directory, { recursive: true });
  await cached(join(directory, 'reaction.journal'), writeJournal);
  const ours = trailgaugeOnce(folder, { systemd: UNIT, directory });
  const args = journalArguments({ unit: UNIT, directory }, []);
  const alone = { name: 'journalctl', command: findProgram('journalctl') ?? 'journalctl', args };
  const [us, them] = (await contest([ours, alone], ROUNDS)) as [Result, Result];
  const read = readSeries(ours.output).get('trailgauge_source_items_total{source="reaction"}');
  if (read !== LOG.lines) throw new Error(`journal: found ${read} entries, wanted ${LOG.lines}`);
  const rate = LOG.lines / best(us.seconds);
  const ratio = best(them.seconds) / best(us.seconds);
  return [
    {
      what: `${what}: a second, best of ${ROUNDS}`,
      measured: count(rate),
      comparedWith: `\`journalctl\` alone: ${count(LOG.lines / best(them.seconds))}`,
      ratio: times(ratio),
      wanted: `≥ ${WANTED_RATIO} ×`,
      met: ratio >= WANTED_RATIO,
    },
    {
      what: 'the same, median',
      measured: count(LOG.lines / median(us.seconds)),
      comparedWith: `\`journalctl\` alone: ${count(LOG.lines / median(them.seconds))}`,
      ratio: times(median(them.seconds) / median(us.seconds)),
    },
    {
      what: 'the same, against a fixed rate',
      measured: count(rate),
      comparedWith: count(WANTED_RATE),
      ratio: times(rate / WANTED_RATE),
      wanted: '≥ 1 ×, on a machine where `journalctl` alone is faster',
      ...(best(them.seconds) * WANTED_RATE < LOG.lines && { met: rate >= WANTED_RATE }),
    },
    {
      what: 'the same, time of the processor with that of `journalctl`, best',
      measured: time(best(us.cpuSeconds)),
      comparedWith: `\`journalctl\` alone: ${time(best(them.cpuSeconds))}`,
      ratio: times(best(them.cpuSeconds) / best(us.cpuSeconds)),
    },
  ];
}

async function writeJournal(path: string): Promise<void> {
  const remote = findProgram('systemd-journal-remote') ?? 'systemd-journal-remote';
  const child = spawn(remote, [`--output=${path}`, '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  const ended = once(child, 'close');
  await pipeline(Readable.from(blocks(entries())), child.stdin);
  const [code] = await ended;
  if (code !== 0) throw new Error(`${remote} ended with ${code}: ${complaint}`);
}

function* entries(): Generator<string> {
  let number = 0;
  for (const line of reactionLines(LOG)) {
    const stamps = {
      __REALTIME_TIMESTAMP: 1_767_225_600_000_000 + number * 1_000,
      __MONOTONIC_TIMESTAMP: 60_000_000 + number * 1_000,
    };
    const fields = { ...stamps, ...entryFields(number, line.trimEnd()) };
    yield `${Object.entries(fields)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('')}\n`;
    number += 1;
  }
}

/** Those that journald keeps of a line that a unit wrote to standard output. */
function entryFields(number: number, message: string): Readonly<Record<string, string | number>> {
  return {
    _BOOT_ID: '1'.repeat(32),
    _MACHINE_ID: '2'.repeat(32),
    _HOSTNAME: 'gate.example',
    _RUNTIME_SCOPE: 'system',
    _TRANSPORT: 'stdout',
    _STREAM_ID: '3'.repeat(32),
    PRIORITY: 6,
    SYSLOG_FACILITY: 3,
    SYSLOG_IDENTIFIER: 'reaction',
    _PID: 812,
    _UID: 0,
    _GID: 0,
    _COMM: 'reaction',
    _EXE: '/usr/local/bin/reaction',
    _CMDLINE: '/usr/local/bin/reaction start -c /etc/reaction',
    _CAP_EFFECTIVE: '1ffffffffff',
    _SYSTEMD_CGROUP: '/system.slice/reaction.service',
    _SYSTEMD_UNIT: UNIT,
    _SYSTEMD_SLICE: 'system.slice',
    _SYSTEMD_INVOCATION_ID: '4'.repeat(32),
    _SOURCE_REALTIME_TIMESTAMP: 1_767_225_600_000_000 + number * 1_000,
    MESSAGE: message,
  };
}
