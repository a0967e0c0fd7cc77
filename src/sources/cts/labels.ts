import { isPrintable } from '../../lib/printable.ts';
import { BAD, type Field } from './text.ts';
import type { Trace } from './trace.ts';

/** Where a trace comes from; null for what is not known. */
export interface Place {
  readonly region: string | null;
  /** Id and name of the project. */
  readonly projectId: string | null;
  readonly projectName: string | null;
  /** Id of the domain that the project belongs to. */
  readonly account: string | null;
  /** The service's address with the project: `{base}/v2.0/{project}/`. */
  readonly origin: string | null;
}

/** Where nothing is known. */
export const NOWHERE: Place = { region: null, projectId: null, projectName: null, account: null, origin: null };

/** Labels that `cts_traces_total` has only where the configuration asks for them. */
export const OPTIONAL_LABELS = ['operation', 'user', 'region', 'project'] as const;

export type OptionalLabel = (typeof OPTIONAL_LABELS)[number];

/** Values of the labels of `cts_traces_total`, in their order; those that are not asked for are empty. */
export interface TraceLabels {
  readonly service: string;
  readonly resource_type: string;
  readonly trace_type: string;
  readonly rating: string;
  readonly operation: string;
  readonly user: string;
  readonly region: string;
  readonly project: string;
}

/** Stands for a value that is there and has no business being a label, and for one that is absent. */
const OTHER = 'other';
const UNKNOWN = 'unknown';

/** The labels of a trace; `limited` tells that a value of them has become `other`. */
export function traceLabels(
  trace: Trace,
  place: Place,
  optional: ReadonlySet<OptionalLabel>,
): { readonly labels: TraceLabels; readonly limited: boolean } {
  const { fields } = trace;
  let limited = false;
  const bounded = (value: string | null): string => {
    if (value !== null) return value;
    limited = true;
    return OTHER;
  };
  const given = (name: OptionalLabel, value: () => string | null) => (optional.has(name) ? bounded(value()) : '');
  const labels = {
    service: bounded(matching(fields.service, SERVICE)),
    resource_type: bounded(matching(fields.resourceType, RESOURCE_TYPE)),
    trace_type: bounded(knownTraceType(fields.traceType)),
    rating: bounded(known(fields.rating, RATINGS)),
    operation: given('operation', () => matching(fields.name, OPERATION)),
    user: given('user', () => userLabel(trace)),
    region: given('region', () => nameLabel(place.region)),
    project: given('project', () => nameLabel(place.projectName ?? place.projectId)),
  };
  return { labels, limited };
}

/** Labels without those that are not asked for. */
export function shownLabels(labels: TraceLabels): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

/** Whether a trace is of the service's own doing. */
export function isSystemAction({ traceType }: Trace): boolean {
  return traceType?.toLowerCase() === 'systemaction';
}

const SERVICE = /^[A-Z0-9][A-Z0-9 ._-]{0,63}$/;
const RESOURCE_TYPE = /^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$/;
const OPERATION = /^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,127}$/;
const RATINGS: ReadonlyMap<string, string> = named(['normal', 'warning', 'incident']);
const TRACE_TYPES: ReadonlyMap<string, string> = named(['ApiCall', 'ConsoleAction', 'SystemAction']);

/** Names by themselves in lower case. */
function named(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}

/** Null for what has to become `other`, here and below. */
function matching(field: Field, allowed: RegExp): string | null {
  if (field === null) return UNKNOWN;
  return field !== BAD && allowed.test(field) ? field : null;
}

function known(field: Field, names: ReadonlyMap<string, string>): string | null {
  if (field === null) return UNKNOWN;
  return field === BAD ? null : (names.get(field) ?? null);
}

/** Most come as they should. */
function knownTraceType(field: Field): string | null {
  return typeof field === 'string' ? known(field.toLowerCase(), TRACE_TYPES) : known(field, TRACE_TYPES);
}

function userLabel(trace: Trace): string | null {
  const { user } = trace.fields;
  if (user === null) return isSystemAction(trace) ? 'system' : UNKNOWN;
  return nameLabel(user);
}

function nameLabel(field: Field): string | null {
  if (field === null) return UNKNOWN;
  return field !== BAD && isPrintable(field) ? field : null;
}
