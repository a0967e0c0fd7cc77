import type { Test } from 'tap';
import { type CtsClient, type CtsClientOptions, openCtsClient } from '../../src/sources/cts/access/client.ts';
import type { RequestReport } from '../../src/sources/cts/access/transport.ts';
import { ctsConfig } from '../../src/sources/cts/config.ts';
import { type CtsSettings, ctsSettings } from '../../src/sources/cts/settings.ts';

/** A client whose waits take no time, with all that it told. */
export interface ClientRig {
  readonly client: CtsClient;
  readonly signal: AbortSignal;
  readonly ending: AbortController;
  /** The client's own clock; waits move it on. */
  readonly time: { ms: number };
  readonly waits: number[];
  readonly errors: string[];
  readonly problems: (string | null)[];
  readonly requests: RequestReport[];
  readonly expiries: number[];
}

/** The settings of a section, with no environment but this. */
export function settingsOf(config: unknown, env: NodeJS.ProcessEnv = {}): CtsSettings {
  return ctsSettings(ctsConfig.parse(config), env);
}

/** 2026-01-01T12:00:00Z. */
export const NOON = 1_767_268_800_000;

export function clientRig(t: Test, config: unknown, options: Partial<CtsClientOptions> = {}): ClientRig {
  const time = { ms: NOON };
  const ending = new AbortController();
  const told = {
    waits: [] as number[],
    errors: [] as string[],
    problems: [] as (string | null)[],
    requests: [] as RequestReport[],
    expiries: [] as number[],
  };
  const client = openCtsClient({
    settings: settingsOf(config, options.env),
    env: {},
    now: () => time.ms,
    follow: true,
    random: () => 0.5,
    onRequest: (report) => told.requests.push(report),
    onProblem: (text) => told.problems.push(text),
    onError: (text) => told.errors.push(text),
    onTokenExpiry: (at) => told.expiries.push(at),
    delay: async (ms, signal) => {
      signal.throwIfAborted();
      told.waits.push(ms);
      time.ms += ms;
    },
    ...options,
  });
  t.teardown(() => client.close());
  return { client, signal: ending.signal, ending, time, ...told };
}

/** A trace, recorded at this time. */
export function ctsTrace(number: number, time: number): Readonly<Record<string, unknown>> {
  return {
    trace_id: `${number.toString(16).padStart(8, '0')}-e70a-11f0-9c00-02f1a7c40000`,
    trace_name: 'createVolume',
    service_type: 'EVS',
    resource_type: 'evs',
    resource_id: `vol-${number}`,
    resource_name: `barrel-${number}`,
    trace_type: 'ApiCall',
    trace_rating: 'normal',
    source_ip: '203.0.113.14',
    code: 202,
    user: { id: '11aa22bb33cc44dd55ee66ff77008899', name: 'mara.winter', domain: { id: '0c1d', name: 'OTC1' } },
    time,
    record_time: time,
  };
}
