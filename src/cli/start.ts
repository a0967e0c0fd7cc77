import { startApp } from '../app.ts';
import { notifier } from '../lib/notify.ts';
import { SOURCES } from '../sources/index.ts';
import { FAILED, failed, type Io, OK, USAGE } from './io.ts';
import { type ConfigArguments, loadConfig } from './load.ts';
import { createLog } from './log.ts';

/** Runs until it is told to stop. */
export async function start(args: ConfigArguments, io: Io): Promise<number> {
  const config = await loadConfig(args, io);
  if (!config) return USAGE;
  const log = await createLog(config.log.level, io.stderr.isTTY === true);
  const supervisor = notifier(io.env, { onProblem: (err) => log.warn({ err }, 'systemd was not told') });
  try {
    const app = await startApp({ config, sources: SOURCES, log, env: io.env, now: io.now });
    log.info({ url: app.url, sources: Object.keys(config.sources) }, 'started');
    void app.ready.then(() => supervisor.ready(`serving ${app.url}/metrics`));
    // That this is called at all is the point: it shows that the event loop turns.
    supervisor.startWatchdog(() => true);
    await aborted(io.signal);
    log.info('stopping');
    await supervisor.stopping();
    await app.close();
    log.info('stopped');
    return OK;
  } catch (error) {
    await failed(io, error, log);
    return FAILED;
  } finally {
    await supervisor.close();
  }
}

/** Resolves when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
