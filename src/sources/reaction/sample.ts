import type { Label } from '../../core/metrics/labels.ts';
import type { SourceContext } from '../../core/source.ts';
import { askShow, askVersion, type ShowState } from './ask.ts';
import type { ReactionConfig } from './config.ts';
import type { REACTION_METRICS } from './metrics.ts';
import type { PatternExport } from './observe.ts';
import { type PendingAction, readPending, type TuplesSeen } from './pending.ts';
import type { Settings } from './settings.ts';

export interface SamplerOptions {
  readonly config: Pick<ReactionConfig, 'command' | 'socket'>;
  readonly context: Pick<SourceContext<typeof REACTION_METRICS>, 'metrics' | 'log' | 'signal'>;
  readonly settings: () => Settings;
  readonly tupleSeen: TuplesSeen;
  /** The labels of a pending action's values. */
  readonly labelsOf: (stream: string, filter: string, values: PendingAction['values']) => readonly Label[];
  readonly pendingCount: PatternExport;
}

/** Milliseconds that one question to reaction may take. */
const TIMEOUT_MS = 5_000;

/** Asks reaction for its version and its pending actions, and shows the answers as gauges. */
export function createSampler(options: SamplerOptions): () => Promise<void> {
  const { config, context } = options;
  const { metrics, signal, log } = context;
  const asking = { command: config.command, timeoutMs: TIMEOUT_MS, signal };
  const state: ShowState = { formatRefused: false };
  let problem = '';

  /** `up`: it answered, whether or not the answer could be understood. */
  async function pending(): Promise<{ readonly up: boolean; readonly found: PendingAction[] | null }> {
    let up = false;
    try {
      const text = await askShow({ ...asking, socket: config.socket, state });
      up = true;
      const found = readPending(text, options.settings(), options.tupleSeen);
      problem = '';
      return { up, found };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== problem && !signal.aborted)
        log.warn({ problem: text }, 'reaction does not tell its pending actions');
      problem = text;
      return { up, found: null };
    }
  }

  return async () => {
    const [version, { up, found }] = await Promise.all([askVersion(asking).catch(() => 'N/A'), pending()]);
    if (signal.aborted) return;
    metrics.up.set({}, up ? 1 : 0);
    metrics.statusInfo.replace([[{ version, status: up ? '1' : '0' }, 1]]);
    metrics.pending.replace(found ? pendingSeries(found, options.settings()) : []);
    const shown = found && options.pendingCount !== 'off' ? found : [];
    metrics.pendingCount.replace(
      shown.map((action) => {
        const { stream, filter, action: name, count, values } = action;
        const extra = options.pendingCount === 'patterns' ? options.labelsOf(stream, filter, values) : [];
        return [{ stream, filter, action: name }, count, extra] as const;
      }),
    );
  };
}

type PendingSeries = readonly [{ stream: string; filter: string; action: string }, number];

/** Pending actions by action; those that can be pending stand at 0 while they are not. */
function* pendingSeries(found: readonly PendingAction[], settings: Settings): Generator<PendingSeries> {
  for (const { filters } of settings.streams.values()) {
    for (const { stream, name, actions } of filters.values()) {
      for (const action of actions.values()) {
        if (action.delayed) yield [{ stream, filter: name, action: action.name }, 0];
      }
    }
  }
  for (const { stream, filter, action, count } of found) yield [{ stream, filter, action }, count];
}
