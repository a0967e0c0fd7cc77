import { type ExecFileException, execFile } from 'node:child_process';

/** Tells a supervisor such as systemd how the process is doing. A promise is kept when it was told, or could not be. */
export interface Notifier {
  /** The service is ready: what depends on it may start. */
  ready(status?: string): Promise<void>;
  /** One line for people, shown by `systemctl status`. */
  status(text: string): Promise<void>;
  /** The service has begun to stop. */
  stopping(): Promise<void>;
  /** From now on the watchdog is answered as long as `healthy` says yes; without one asked for, nothing happens. */
  startWatchdog(healthy: () => boolean): void;
  /** Ends the watchdog's timer and waits for what is being said. */
  close(): Promise<void>;
}

export interface NotifierOptions {
  /** Called once, at the first message that could not be sent. */
  readonly onProblem: (problem: Error) => void;
  /** The program that sends; `systemd-notify` in `PATH` unless a test says otherwise. */
  readonly command?: string;
}

/** `systemd-notify` itself waits up to 5 s for the supervisor to take the message. */
const TIME_LIMIT_MS = 10_000;
/** Messages that may wait while one is being sent; a supervisor that hangs gets no more than these later. */
const MOST_WAITING = 16;
const LONGEST_STATUS = 200;

/**
 * A notifier for the supervisor that `env` names in `NOTIFY_SOCKET`, see sd_notify(3); without that variable each
 * method does nothing. Node.js has no datagram sockets of the unix family, so each message is one run of
 * `systemd-notify`: the unit needs `NotifyAccess=all`. Messages are sent in order, one at a time, each within ten
 * seconds. The watchdog is answered at a third of `WATCHDOG_USEC`, unless `WATCHDOG_PID` names another process, and
 * an answer is left out rather than queued while the one before is still on its way.
 */
export function notifier(env: NodeJS.ProcessEnv, options: NotifierOptions): Notifier {
  const socket = env.NOTIFY_SOCKET;
  if (!socket) return SILENT;
  const send = sender(env, socket, options);
  let timer: NodeJS.Timeout | undefined;
  let pinging = false;
  let last = Promise.resolve();

  function say(...variables: readonly string[]): Promise<void> {
    last = send(variables);
    return last;
  }

  function ping(healthy: () => boolean): void {
    if (pinging || !healthy()) return;
    pinging = true;
    say('WATCHDOG=1').finally(() => {
      pinging = false;
    });
  }

  return {
    ready: (status) => (status === undefined ? say('READY=1') : say('READY=1', statusVariable(status))),
    status: (text) => say(statusVariable(text)),
    stopping: () => say('STOPPING=1'),
    startWatchdog(healthy) {
      const period = watchdogPeriodMs(env);
      if (period === null || timer !== undefined) return;
      timer = setInterval(ping, period, healthy);
      timer.unref();
      ping(healthy);
    },
    close() {
      clearInterval(timer);
      timer = undefined;
      return last;
    },
  };
}

const SILENT: Notifier = {
  ready: async () => {},
  status: async () => {},
  stopping: async () => {},
  startWatchdog: () => {},
  close: async () => {},
};

/** A function that hands variables to `systemd-notify`, run by run; its promises never fail. */
function sender(
  env: NodeJS.ProcessEnv,
  socket: string,
  options: NotifierOptions,
): (variables: readonly string[]) => Promise<void> {
  let waiting = 0;
  let last = Promise.resolve();
  let told = false;

  function problem(error: Error): void {
    if (!told) options.onProblem(error);
    told = true;
  }

  async function run(variables: readonly string[]): Promise<void> {
    const command = options.command ?? 'systemd-notify';
    // The pid makes this process the main one for systemd, whatever wrapper the unit may start it by.
    const args = [`--pid=${process.pid}`, ...variables];
    const childEnv = { NOTIFY_SOCKET: socket, PATH: env.PATH };
    try {
      await new Promise<void>((resolve, reject) => {
        execFile(
          command,
          args,
          { env: childEnv, timeout: TIME_LIMIT_MS, killSignal: 'SIGKILL' },
          (error, _, stderr) => {
            if (error) reject(new Error(reason(error, stderr), { cause: error }));
            else resolve();
          },
        );
      });
    } catch (cause) {
      problem(new Error(`cannot notify ${socket} with ${command}`, { cause }));
    } finally {
      waiting--;
    }
  }

  return function send(variables) {
    if (waiting > MOST_WAITING) {
      problem(new Error(`cannot notify ${socket}: ${waiting} messages wait already`));
      return last;
    }
    waiting++;
    last = last.then(() => run(variables));
    return last;
  };
}

function reason(error: ExecFileException, stderr: string): string {
  if (error.code === 'ENOENT') return 'no such program';
  if (error.killed) return `it did not end within ${TIME_LIMIT_MS / 1000} s`;
  return stderr.trim().slice(0, 500) || error.message;
}

/** A newline would begin the next variable of the message. */
function statusVariable(text: string): string {
  return `STATUS=${text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_STATUS)}`;
}

/** Null if nobody watches this process. A unit with `WatchdogSec=0` has no `WATCHDOG_USEC`, or 0. */
function watchdogPeriodMs(env: NodeJS.ProcessEnv): number | null {
  const { WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = env;
  if (micros === undefined || !/^[1-9][0-9]{0,17}$/.test(micros)) return null;
  if (pid !== undefined && pid !== String(process.pid)) return null;
  // A timer of Node.js holds 2^31 - 1 ms at most, and begins to fire at once beyond it.
  return Math.min(Math.max(1, Math.floor(Number(micros) / 3000)), 2 ** 31 - 1);
}
