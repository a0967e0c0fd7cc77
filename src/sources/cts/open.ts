import { DUPLICATE, isRejected, type OpenedSource, type SourceContext } from '../../core/source.ts';
import { shown } from '../../lib/objects/shown.ts';
import { type CtsClient, openCtsClient } from './access/client.ts';
import type { CtsConfig } from './config.ts';
import { toEvent } from './event.ts';
import { type CtsItem, lastStamp } from './item.ts';
import { NOWHERE, type Place, traceLabels } from './labels.ts';
import type { CTS_METRICS } from './metrics.ts';
import { Observer } from './observe.ts';
import { CtsReader } from './read.ts';
import { SeenTraces } from './seen.ts';
import { ctsSettings } from './settings.ts';
import type { Trace } from './trace.ts';
import type { CtsPosition } from './windows.ts';

type Context = SourceContext<typeof CTS_METRICS>;

/** Opens the source: the traces of one project in one region, each once. */
export function openCts(config: CtsConfig, context: Context, client?: CtsClient): OpenedSource<CtsItem, Trace> {
  const { metrics, aside, report, log, name, follow, range, signal } = context;
  const settings = ctsSettings(config, context.env);
  for (const warning of settings.warnings) log.warn(warning);
  const optional = new Set(settings.labels);
  const observer = new Observer({ metrics, optional, top: settings.top, distinct: settings.distinct });
  const seen = new SeenTraces();
  let place = NOWHERE;
  const service = client ?? openClient(settings, context);
  const located: CtsClient = {
    now: () => service.now(),
    list: (query, until) => service.list(query, until),
    close: () => service.close(),
    place: async (until) => {
      const found = await service.place(until);
      place = placeOf(found);
      return found;
    },
  };
  const reader = new CtsReader({
    client: located,
    settings,
    seen,
    onGap: (seconds) => metrics.windowGap.inc({}, seconds),
    onPoll: report.problem,
    onError: report.error,
    log,
    signal,
  });
  // Where the past is wanted, what is kept of a series is good for one batch.
  const isStaged = metrics === aside;
  if (!isStaged) metrics.windowGap.series({});
  return {
    read: (position) => (follow ? reader.follow(position as CtsPosition | null) : reader.pass(range)),
    parse: (item) => (seen.see(item.key, lastStamp(item), item.onPage) ? DUPLICATE : item.found),
    observe: (trace, { at, visible }) => void observer.observe(trace, { place, receivedAt: at, visible }),
    settle: () => {
      if (isStaged) observer.forget();
    },
    timeOf: ({ found, at }) => (isRejected(found) ? null : (found.time ?? found.recorded ?? at)),
    event: (trace, { at }) => {
      const { labels } = traceLabels(trace, place, optional);
      return toEvent({ trace, source: name, place, labels, receivedAt: at });
    },
    excerpt: ({ found, given }) => (isMalformed(found) ? shown(String(given), 200) : excerptOf(given)),
    restore: (entries) => {
      seen.restore(entries);
      observer.restore(entries);
    },
    changes: () => [...seen.takeChanges(), ...observer.changes()],
    lagMs: () => reader.lagMs(),
    remarks: () => (place.projectId === null ? [] : [{ text: `reads ${placeText(place)}`, bad: false }]),
    close: () => service.close(),
  };
}

function openClient(
  settings: ReturnType<typeof ctsSettings>,
  { env, now, follow, metrics, report }: Context,
): CtsClient {
  return openCtsClient({
    settings,
    env,
    now,
    follow,
    onRequest: ({ operation, code, seconds }) => {
      metrics.apiRequests.inc({ operation, code });
      metrics.apiSeconds.observe({}, seconds);
    },
    // A request that succeeds is no whole poll yet.
    onProblem: (text) => {
      if (text !== null) report.problem(text);
    },
    onError: report.error,
    onTokenExpiry: (time) => metrics.tokenExpiry.set({}, time / 1000),
  });
}

function placeOf({ region, projectId, projectName, domainId, origin }: Awaited<ReturnType<CtsClient['place']>>): Place {
  return { region: region || null, projectId, projectName, account: domainId, origin };
}

function placeText({ projectId, projectName, region }: Place): string {
  return `project ${projectName ?? projectId}${region === null ? '' : ` in ${region}`}`;
}

/** A line of recorded input that is no JSON: who gave it may see it. */
function isMalformed(found: CtsItem['found']): boolean {
  return 'rejected' in found && found.rejected === 'malformed';
}

/** Ids and names alone: what else is in a trace may be secret. */
function excerptOf(given: unknown): string {
  if (typeof given === 'string') return `a text of ${given.length} characters`;
  if (typeof given !== 'object' || given === null) return shown(String(given), 200);
  const told = ['trace_id', 'service_type', 'trace_name'].flatMap((name) => {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    return value === undefined || value === null || typeof value === 'object' ? [] : [`${name} ${String(value)}`];
  });
  const names = Object.keys(given).slice(0, 20).join(', ');
  return shown(told.length > 0 ? told.join(', ') : names === '' ? 'nothing in it' : `members ${names}`, 200);
}
