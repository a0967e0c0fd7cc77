import { checkStore, heardStore } from '../../core/objects/check.ts';
import { openStore } from '../../core/objects/config.ts';
import { defineSource } from '../../core/source.ts';
import { unzippedInput } from '../../lib/objects/body.ts';
import { everPlan } from '../../lib/objects/loose.ts';
import { type GcpLogsConfig, gcpLogsConfig } from './config.ts';
import type { LogEntry } from './entry.ts';
import { GCP_LOGS_METRICS } from './metrics.ts';
import { openGcpLogs, planOf } from './open.ts';
import { type EntryItem, splitInput } from './read.ts';

/** Logs of Google Cloud that a sink writes into a bucket. */
export const gcpLogs = defineSource<GcpLogsConfig, typeof GCP_LOGS_METRICS, EntryItem, LogEntry>({
  type: 'gcp-logs',
  summary: 'Google Cloud logs that a sink of Cloud Logging writes into a bucket, or from files.',
  replay: 'Files that came meanwhile are read then; each entry counts once, even if sinks overlap.',
  config: gcpLogsConfig,
  blank: { directory: '.' },
  metrics: GCP_LOGS_METRICS,
  reasons: ['too_long', 'malformed', 'shape', 'excluded'],
  open: openGcpLogs,
  split: (input) => splitInput(unzippedInput(input), Date.now()),
  check: (config, signal, env, heard) => {
    const plan = planOf(config, Date.now);
    // Files that were copied here may be of any time.
    return checkStore({
      store: heardStore(openStore(config, env), heard),
      plan: config.directory === null ? plan : everPlan(plan),
      signal,
    });
  },
});
