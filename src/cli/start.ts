import { startApp } from '../app.ts';
import { notifier } from '../lib/notify.ts';
import { isSinkUnused } from '../writers/hints.ts';
import { aborted, FAILED, failed, type Io, OK, USAGE } from './io.ts';
import { type ConfigArguments, loadServed } from './load.ts';
import { createLog, quietConsole } from './log.ts';

const SUPERVISOR_VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/** Runs until it is told to stop. */
export async function start(args: ConfigArguments, io: Io): Promise<number> {
  const loaded = await loadServed(args, io);
  if (!loaded) return USAGE;
  const { config, types } = loaded;
  const log = await createLog(config.log.level, io.stderr.isTTY === true);
  quietConsole(log);
  if (isSinkUnused(Object.keys(config.writers), io.env)) {
    log.warn('found $K_SINK, but no writer for it: set writers: { cloudevents: {} } to send events there');
  }
  const supervisor = notifier({ ...io.env }, { onProblem: (err) => log.warn({ err }, 'systemd was not told') });
  // Children that inherit these could speak to the supervisor in our name.
  for (const name of SUPERVISOR_VARIABLES) delete io.env[name];
  try {
    const app = await startApp({ config, ...types, log, env: io.env, now: io.now });
    const [sources, writers] = [config.sources, config.writers].map(Object.keys);
    log.info({ url: app.url, sources, writers }, 'started');
    void app.ready.then(() => supervisor.ready(`serving ${app.url}/metrics`));
    // That this is called at all is the point: it shows that the event loop turns.
    supervisor.startWatchdog(() => true);
    await aborted(io.signal);
    log.info('stopping');
    await supervisor.stopping();
    await app.close();
    const problem = app.problem();
    if (problem !== null) {
      log.error({ problem }, 'stopped without saving all; what is not saved is read again at the next start');
      return FAILED;
    }
    log.info('stopped');
    return OK;
  } catch (error) {
    await failed(io, error, log);
    return FAILED;
  } finally {
    await supervisor.close();
  }
}
