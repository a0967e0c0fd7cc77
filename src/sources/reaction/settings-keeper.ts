import type { FSWatcher } from 'chokidar';
import type { SourceContext } from '../../core/source.ts';
import type { ReactionConfig } from './config.ts';
import { loadSettings } from './load.ts';
import type { REACTION_METRICS } from './metrics.ts';
import { NO_SETTINGS, type Settings } from './settings.ts';

/** Keeps what reaction's configuration says, asking again when reaction starts or its files change. */
export interface SettingsKeeper {
  current(): Settings;
  /** Asks now and waits for the answer. */
  load(): Promise<void>;
  /** Asks soon, at most every ten seconds. */
  refresh(): void;
  /** Looks out for changes of the files. */
  watch(): Promise<void>;
  close(): Promise<void>;
}

export interface SettingsKeeperOptions {
  readonly config: Pick<ReactionConfig, 'command' | 'config'>;
  readonly context: Pick<SourceContext<typeof REACTION_METRICS>, 'log' | 'signal' | 'now'>;
  readonly onSettings: (settings: Settings) => void;
}

/** Milliseconds between two questions, and the longest that one may take. */
const REFRESH_MS = 10_000;
const TIMEOUT_MS = 10_000;
/** Milliseconds that a file must rest before it is read: editors write in pieces. */
const SETTLE_MS = 500;

/** A keeper that knows nothing yet. */
export function createSettingsKeeper({ config, context, onSettings }: SettingsKeeperOptions): SettingsKeeper {
  const { log, signal, now } = context;
  let current = NO_SETTINGS;
  let said = '';
  let asked = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;

  async function load(): Promise<void> {
    asked = now();
    const { settings, origin, problem } = await loadSettings({ ...config, timeoutMs: TIMEOUT_MS, signal });
    if (signal.aborted) return;
    // What was known is better than nothing.
    if (origin !== 'none' || current === NO_SETTINGS) {
      current = settings;
      onSettings(settings);
    }
    const text = JSON.stringify([origin, problem, settings.warnings]);
    if (text === said) return;
    said = text;
    const fields = { origin, problem, warnings: settings.warnings };
    if (problem || settings.warnings.length > 0) log.warn(fields, 'configuration of reaction read, with doubts');
    else log.info({ origin, streams: settings.streams.size }, 'configuration of reaction read');
  }

  function refresh(): void {
    if (timer || signal.aborted) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        void load();
      },
      Math.max(0, asked + REFRESH_MS - now()),
    ).unref();
  }

  return {
    current: () => current,
    load,
    refresh,
    watch: async () => {
      const { watch } = await import('chokidar');
      watcher = watch(config.config, {
        ignoreInitial: true,
        depth: 0,
        persistent: false,
        awaitWriteFinish: { stabilityThreshold: SETTLE_MS, pollInterval: 100 },
      });
      watcher
        .on('all', refresh)
        .on('error', (error) => log.warn({ err: error }, 'configuration of reaction is not watched'));
    },
    close: async () => {
      clearTimeout(timer);
      await watcher?.close();
    },
  };
}
