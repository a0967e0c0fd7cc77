import type { Event } from '../core/event.ts';
import { dataOf, datasetOf, isMap, sourceType, textOf } from './event-data.ts';

/** The counter that an event adds to: its name without `_total`, and its labels; labels without a value are left out. */
export interface MainCounter {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** The number fields of an event, by the name that they have in its `data`. */
export interface EventNumbers {
  readonly integers: readonly string[];
  readonly floats: readonly string[];
}

/**
 * The main counter of an event, found by what it is of and by its kind (`data.kind`, else its action). Its labels are
 * `data.labels` where the source tells them so, with those that were asked for in its configuration; else the values of
 * their names in `data`. An event that is not known here adds to `trailgauge_source_events`.
 */
export function mainCounter(event: Event): MainCounter {
  const row = rowOf(event);
  if (!row) return { name: 'trailgauge_source_events', labels: new Map([['source', event.source]]) };
  const labels = new Map<string, string>();
  const told = event.data.labels;
  const names = isMap(told) ? Object.keys(told) : row.labels;
  for (const name of names) {
    const value = textOf(
      (isMap(told) ? told[name] : dataOf(event, name)) ?? (name === 'outcome' ? event.outcome : null),
    );
    if (value !== '') labels.set(name, value);
  }
  const section = event.source.slice(sourceType(event.source).length + 1);
  if (section !== '' && !labels.has('source')) labels.set('source', section);
  return { name: row.counter, labels };
}

/** Names of the numbers that are written with such an event. */
export function eventNumbers(event: Event): EventNumbers {
  const { integers = [], floats = [] } = rowOf(event) ?? {};
  return { integers, floats };
}

interface CounterRow {
  readonly counter: string;
  readonly labels: readonly string[];
  readonly integers?: readonly string[];
  readonly floats?: readonly string[];
}

const FLOW = ['source_type', 'destination_type', 'service_type', 'protocol', 'encrypted'];
const NUMBERS = ['duration_ns', 'ttfb_ns', 'request_bytes', 'response_bytes'];

/** By `DATASET.KIND`, or by `DATASET` alone. */
const ROWS: ReadonlyMap<string, CounterRow> = new Map<string, CounterRow>([
  ['reaction.match', { counter: 'reaction_matches', labels: ['stream', 'filter'] }],
  ['reaction.action', { counter: 'reaction_actions', labels: ['stream', 'filter', 'action'] }],
  ['reaction.command', { counter: 'reaction_commands', labels: ['state', 'command'] }],
  ['reaction.stream', { counter: 'reaction_stream_events', labels: ['stream', 'type'] }],
  ['s3-audit.request', { counter: 's3_requests', labels: ['api', 'bucket', 'code'], integers: NUMBERS }],
  ['s3-audit.background', { counter: 's3_background', labels: ['api', 'bucket'] }],
  ['s3-audit.console', { counter: 's3_console_events', labels: ['event', 'outcome'] }],
  ['s3-audit.iam', { counter: 's3_iam_events', labels: ['event'] }],
  ['cloudtrail', { counter: 'cloudtrail_events', labels: ['service', 'region', 'account', 'outcome'] }],
  ['cloudwatch', { counter: 'cloudwatch_log_events', labels: ['log_group'] }],
  ['gcp-logs', { counter: 'gcp_log_entries', labels: ['log', 'severity', 'resource_type'], integers: ['duration_ns'] }],
  ['cts', { counter: 'cts_traces', labels: ['service', 'resource_type', 'trace_type', 'rating'] }],
  [
    'aporeto.flows',
    { counter: 'aporeto_flows', labels: ['action', 'observed', 'observed_action', ...FLOW], floats: ['value'] },
  ],
  ['aporeto.activities', { counter: 'aporeto_activities', labels: ['operation', 'target', 'outcome'] }],
  ['aporeto.audits', { counter: 'aporeto_audit_reports', labels: ['record_type', 'success'] }],
  ['aporeto.files', { counter: 'aporeto_file_access', labels: ['action', 'mode'] }],
  ['aporeto.logs', { counter: 'aporeto_event_logs', labels: ['level', 'target'] }],
  ['aporeto.events', { counter: 'aporeto_events', labels: ['identity', 'type'] }],
  ['aporeto.dns', { counter: 'aporeto_dns_lookups', labels: ['action'], floats: ['value'] }],
  [
    'aporeto.exceptions',
    { counter: 'aporeto_connection_exceptions', labels: ['state', 'service_type', 'protocol'], floats: ['value'] },
  ],
]);

function rowOf(event: Event): CounterRow | undefined {
  const dataset = datasetOf(event);
  const kind = textOf(event.data.kind) || event.action;
  // What a store pushes is what it would have written to its log.
  const pushed = dataset === 'ingest' ? ROWS.get(`s3-audit.${kind}`) : undefined;
  return ROWS.get(`${dataset}.${kind}`) ?? ROWS.get(dataset) ?? pushed;
}
