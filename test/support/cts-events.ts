import { readFileSync } from 'node:fs';
import type { Data, Event, Outcome, Party } from '../../src/core/event.ts';
import { fixture } from './paths.ts';

/** A case of `cts/traces.json`, as the event that it becomes. */
export interface CtsCase {
  readonly name: string;
  readonly event: Event;
}

/** The cases that are not rejected, and have an id and a time of their own, in the order of the file. */
export function ctsCases(): readonly CtsCase[] {
  const { cases } = JSON.parse(readFileSync(fixture('cts/traces.json'), 'utf8')) as { readonly cases: readonly Told[] };
  return cases.flatMap(({ name, trace, labels, event }) => {
    if (!event || !labels || event.id === '(derived)' || Number.isNaN(Date.parse(event.time))) return [];
    return [{ name, event: eventOf(trace as Trace, labels, event) }];
  });
}

/** Their events: of section `cts`, in the region `eu-de`. */
export function ctsEvents(): readonly Event[] {
  return ctsCases().map(({ event }) => event);
}

export const CTS_PROJECT = 'b7a1d2c3e4f5061728394a5b6c7d8e9f';
export const CTS_DOMAIN = '0c1d2e3f405162738495a6b7c8d9eafb';
/** The CloudEvents `source` of the project. */
export const CTS_ORIGIN = `https://cts.eu-de.otc.t-systems.com/v2.0/${CTS_PROJECT}/`;

/** What the file tells of a case. */
interface Told {
  readonly name: string;
  readonly trace: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  readonly event?: ToldEvent;
}

interface ToldEvent {
  readonly id: string;
  readonly time: string;
  readonly recorded: string | null;
  readonly action: string | null;
  readonly outcome: 'success' | 'failure' | 'unknown';
  readonly severity: string;
  readonly code: string | null;
  readonly actor: Readonly<Record<'type', string>> &
    Readonly<Record<'id' | 'name' | 'domain' | 'address' | 'via', string | null>>;
  readonly target: Readonly<Record<'service' | 'type' | 'id' | 'name', string | null>>;
}

type Trace = Readonly<Record<string, Data>>;

function eventOf(trace: Trace, labels: Readonly<Record<string, string>>, told: ToldEvent): Event {
  const { id, time, recorded, action, actor, target, severity, code } = told;
  const party = targetOf(target);
  const text = (name: string) => textOf(trace[name]);
  return {
    id,
    time: Date.parse(time),
    source: 'cts',
    action: action ?? '',
    outcome: outcomeOf(told),
    actor: {
      type: actor.type,
      id: actor.id ?? actor.name ?? actor.type,
      ...present({ name: actor.name, address: actor.address }),
    },
    ...(party && { target: party }),
    scope: { type: 'project', id: CTS_PROJECT },
    data: {
      dataset: 'cts',
      labels,
      severity,
      ...(recorded !== null && { recorded: Date.parse(recorded) }),
      ...present({
        rating: (text('trace_rating') ?? text('trace_status'))?.toLowerCase(),
        code,
        service: target.service,
        resourceType: target.type,
        resourceId: target.id,
        resourceName: target.name,
        traceType: text('trace_type'),
        userId: actor.id,
        userName: actor.name,
        userDomain: actor.domain,
        via: actor.via,
        requestId: text('request_id') === 'null' ? null : text('request_id'),
        message: text('message'),
      }),
      region: 'eu-de',
      account: CTS_DOMAIN,
      origin: CTS_ORIGIN,
      raw: maskedTrace(trace),
    },
  };
}

function targetOf({ type, id, name }: ToldEvent['target']): Party | null {
  const known = id ?? name;
  return known === null ? null : { type: type ?? '', id: known, ...present({ name }) };
}

function outcomeOf({ outcome, code }: ToldEvent): Outcome {
  if (outcome === 'success') return 'ok';
  if (outcome === 'unknown') return 'unknown';
  return code === '401' || code === '403' ? 'denied' : 'failed';
}

/** Without what is absent. */
function present<K extends string>(
  parts: Readonly<Record<K, string | null | undefined>>,
): { readonly [_ in K]?: string } {
  const entries = Object.entries<string | null | undefined>(parts).filter(([, value]) => value != null && value !== '');
  return Object.fromEntries(entries) as { readonly [_ in K]?: string };
}

function textOf(value: Data | undefined): string | null {
  const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
  return text === '' ? null : text;
}

function maskedTrace(trace: Trace): Data {
  const { request, response } = trace;
  return {
    ...trace,
    ...(request !== undefined && { request: masked(request) }),
    ...(response !== undefined && { response: masked(response) }),
  };
}

/** Secrets become `***`, in JSON text too. */
function masked(value: Data): Data {
  if (typeof value === 'string') {
    return value.startsWith('{') ? JSON.stringify(masked(JSON.parse(value) as Data)) : value;
  }
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  const isSecret = (key: string) => /pass|secret|token|credential|private_?key/i.test(key);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isSecret(key) && (typeof inner !== 'object' || inner === null) ? '***' : masked(inner),
    ]),
  );
}
