import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';

/** Which entries of which journal. */
export interface JournalSelection {
  /** A systemd unit; without a dot it is a service. */
  readonly unit: string;
  /** A folder of journal files; null is the journal of this machine. */
  readonly directory: string | null;
  /** The program; default `journalctl`. */
  readonly command?: string;
  /** Keeps collected journals of other machines out when `directory` is null; default from `/etc/machine-id`; null: all machines. */
  readonly machineId?: string | null;
}

/** How a child ended. */
export interface JournalEnding {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `ENOENT` and the like if it could not be started; what was wrong with its output if that ended it. */
  readonly failure: string | null;
  /** The last line it wrote to stderr, at most 4 KiB of it. */
  readonly complaint: string;
}

/** A `journalctl` that runs. */
export interface JournalChild {
  /** What has arrived, `idle` if nothing did in `ms` milliseconds, `end` when there will be no more. */
  read(ms: number): Promise<Buffer | 'idle' | 'end'>;
  readonly ended: Promise<JournalEnding>;
  /** Kills it if it runs; harmless otherwise. */
  kill(): void;
}

/**
 * The arguments of `journalctl` for these entries. `--merge` is no matter of taste: without it `--follow` shows one boot
 * only and ends at once on an empty folder (systemd 252). `-u` would add what systemd itself says about the unit.
 */
export function journalArguments(selection: JournalSelection, range: readonly string[]): string[] {
  const { unit, directory } = selection;
  const machine = directory === null ? (selection.machineId ?? localMachineId(selection.machineId)) : null;
  return [
    '--output=export',
    '--all',
    '--quiet',
    '--merge',
    '--output-fields=MESSAGE,_SYSTEMD_INVOCATION_ID',
    ...(directory === null ? [] : [`--directory=${directory}`]),
    ...range,
    ...(machine === null ? [] : [`_MACHINE_ID=${machine}`]),
    `_SYSTEMD_UNIT=${unit.includes('.') ? unit : `${unit}.service`}`,
  ];
}

/**
 * Starts `journalctl`, kills it when the signal aborts. Its output waits in the pipe until it is read, so a slow reader
 * slows it down. Never throws and never rejects: a child that cannot be started is one that ended.
 */
export function startJournal(selection: JournalSelection, range: readonly string[], signal: AbortSignal): JournalChild {
  let child: ChildProcess;
  try {
    child = spawnUnread(selection.command ?? 'journalctl', journalArguments(selection, range));
  } catch (error) {
    // Most failures come as an event; ENOTDIR and a few others do not.
    return { read: async () => 'end', ended: Promise.resolve(notStarted(error)), kill: () => {} };
  }
  const kill = () => {
    // It only reads: nothing is lost by the shortest way. Open pipes would keep the end from being told.
    child.kill('SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const ended = endOf(child).finally(() => signal.removeEventListener('abort', kill));
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  return { read: readerOf(child), ended, kill };
}

/** The ending of a child that was of no use, for a reason that is not its own. */
export function failedEnding(failure: string): JournalEnding {
  return { code: null, signal: null, failure, complaint: '' };
}

/** Why it ended, in words. */
export function describeEnding(command: string, ending: JournalEnding): string {
  if (ending.failure === 'ENOENT') return `${command} was not found`;
  if (ending.failure !== null) return `${command} failed: ${ending.failure}`;
  const how = ending.signal === null ? `ended with ${ending.code}` : `was killed by ${ending.signal}`;
  return ending.complaint === '' ? `${command} ${how}` : `${command} ${how}: ${ending.complaint}`;
}

const MAX_STDERR = 4096;
const FULL_READ = 65_536;
/** Long enough for many pieces of output, too short for journalctl to fill the pipe. */
const GATHER_MS = 2;

/**
 * A child of whose output nothing is read ahead: with the usual mark, all the pieces of 4 KiB that journalctl writes wake
 * this process until 16 KiB are there, and that takes more of both processors than the work itself.
 */
function spawnUnread(command: string, args: readonly string[]): ChildProcess {
  const usual = getDefaultHighWaterMark(false);
  setDefaultHighWaterMark(false, 1);
  try {
    return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  } finally {
    setDefaultHighWaterMark(false, usual);
  }
}

function localMachineId(given: null | undefined): string | null {
  if (given === null) return null;
  try {
    const id = readFileSync('/etc/machine-id', 'latin1').trim();
    return /^[0-9a-f]{32}$/.test(id) ? id : null;
  } catch {
    return null;
  }
}

function endOf(child: ChildProcess): Promise<JournalEnding> {
  let stderr = '';
  // There are no pipes at all when the process has no descriptor left.
  child.stderr
    ?.setEncoding('utf8')
    .on('error', () => {})
    .on('data', (text: string) => {
      stderr = (stderr + text).slice(-MAX_STDERR);
    });
  const complaint = () => stderr.trimEnd().split('\n').at(-1) ?? '';
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // Also emitted when a kill fails, of a child that will still end.
      if (child.pid === undefined) resolve(notStarted(error));
    });
    child.on('close', (code, signal) => resolve({ code, signal, failure: null, complaint: complaint() }));
  });
}

function notStarted(error: unknown): JournalEnding {
  return failedEnding(error instanceof Error && 'code' in error ? String(error.code) : String(error));
}

function readerOf(child: ChildProcess): JournalChild['read'] {
  const { stdout } = child;
  let over = stdout === null || stdout === undefined;
  let wake = () => {};
  const end = () => {
    over = true;
    wake();
  };
  stdout
    ?.on('readable', () => wake())
    .on('end', end)
    .on('error', end)
    .on('close', end);
  let last = 0;
  return async (ms) => {
    if (last > 0 && last < FULL_READ && !over) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    let idle = false;
    let timer: NodeJS.Timeout | undefined;
    try {
      for (;;) {
        const chunk: Buffer | null = stdout?.read() ?? null;
        last = chunk?.length ?? 0;
        if (chunk !== null) return chunk;
        if (over) return 'end';
        if (idle) return 'idle';
        timer ??= setTimeout(() => {
          idle = true;
          wake();
        }, ms);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  };
}
