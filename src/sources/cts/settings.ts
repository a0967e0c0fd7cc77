import type { Fault } from '../../core/config.ts';
import { durationMs } from '../../lib/duration.ts';
import type { CtsConfig } from './config.ts';

/** The configuration of a section with what the environment says, in plain units. */
export interface CtsSettings {
  readonly cloud: string | null;
  readonly cloudsFile: string | null;
  readonly auth: CtsConfig['auth'];
  readonly region: string | null;
  readonly endpoint: string | null;
  readonly tracker: string;
  readonly intervalMs: number;
  readonly overlapMs: number;
  /** At most `retentionMs`. */
  readonly sinceMs: number;
  readonly retentionMs: number;
  readonly api: CtsConfig['api'];
  readonly labels: CtsConfig['labels'];
  readonly tls: CtsConfig['tls'];
  readonly timeoutMs: number;
  readonly top: number;
  readonly distinct: boolean;
  /** What a person should know of it, one line each. */
  readonly warnings: readonly string[];
}

/**
 * What the section and the environment say. Throws where the environment says what cannot be: the message names the
 * variable, what was found and what is wanted.
 */
export function ctsSettings(config: CtsConfig, env: NodeJS.ProcessEnv): CtsSettings {
  // Windows are asked for in whole milliseconds.
  const retentionMs = Math.ceil(durationMs(config.retention));
  const sinceMs = Math.ceil(durationMs(config.since));
  return {
    cloud: config.cloud ?? variableOf(env, 'OS_CLOUD'),
    cloudsFile: config.clouds_file,
    auth: config.auth,
    region: config.region,
    endpoint: config.endpoint,
    tracker: config.tracker ?? variableOf(env, 'CTS_TRACKER') ?? SYSTEM_TRACKER,
    intervalMs: config.interval === null ? intervalOf(env) : durationMs(config.interval),
    overlapMs: Math.ceil(durationMs(config.overlap)),
    sinceMs: Math.min(sinceMs, retentionMs),
    retentionMs,
    api: config.api,
    labels: config.labels,
    tls: config.tls,
    timeoutMs: Math.min(LONGEST_TIMER_MS, durationMs(config.timeout)),
    top: config.top,
    distinct: config.distinct,
    warnings: warningsOf(config, env),
  };
}

/** What the environment says wrongly. */
export function environmentFault(config: CtsConfig, env: NodeJS.ProcessEnv): Fault | null {
  try {
    ctsSettings(config, env);
    return null;
  } catch (error) {
    return [['interval'], error instanceof Error ? error.message : String(error)];
  }
}

/** The tracker that each project has; it is not named in requests. */
export const SYSTEM_TRACKER = 'system';

/** A variable of the environment that is not blank, or null. */
export function variableOf(env: NodeJS.ProcessEnv, name: string): string | null {
  const value = env[name]?.trim() ?? '';
  return value === '' ? null : value;
}

const MINUTE_MS = 60_000;
/** A timer cannot be set for longer. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_INTERVAL_MS = MINUTE_MS;
/** The service keeps traces for a week: who asks less often misses some. */
const MOST_MINUTES = 7 * 24 * 60;

/** Variables of the program before this one that have no meaning here. */
const UNUSED = ['CTS_X_PNP', 'CTS_STREAMS', 'OS_DEBUG'];

function warningsOf({ since, retention, tls }: CtsConfig, env: NodeJS.ProcessEnv): readonly string[] {
  const isLong = durationMs(since) > durationMs(retention);
  return [
    ...(isLong ? [`since: found ${since}, more than the retention of ${retention}, which is taken instead`] : []),
    ...(tls.insecure ? ['tls.insecure: certificates are not verified, so anybody may answer'] : []),
    ...UNUSED.filter((name) => variableOf(env, name) !== null).map((name) => `$${name} is set, but not used`),
  ];
}

function intervalOf(env: NodeJS.ProcessEnv): number {
  const text = variableOf(env, 'CTS_FROM');
  if (text === null) return DEFAULT_INTERVAL_MS;
  const minutes = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (minutes < 1 || minutes > MOST_MINUTES) {
    const found = JSON.stringify(text.slice(0, 80));
    throw new Error(`$CTS_FROM: found ${found}, wanted whole minutes from 1 to ${MOST_MINUTES}`);
  }
  return minutes * MINUTE_MS;
}
