import type { Data, Event, Outcome, Party } from '../../core/event.ts';
import { jsonText } from '../../lib/json-text.ts';
import { isWithinDepth } from '../../lib/json-value.ts';
import { isSystemAction, type Place, shownLabels, type TraceLabels } from './labels.ts';
import { maskTrace } from './mask.ts';
import type { Trace } from './trace.ts';

/** What an event is made of. */
export interface EventParts {
  readonly trace: Trace;
  /** Name of the section that the trace was read by. */
  readonly source: string;
  readonly place: Place;
  /** Labels of `cts_traces_total`. */
  readonly labels: TraceLabels;
  /** The service's clock when it was first received, in milliseconds since 1970. */
  readonly receivedAt: number;
}

/** Traces may be nested deeper than writers can follow; those hand on the text. */
const DEEPEST_RAW = 64;

/**
 * A trace as writers take it. Its `data`, of which is left out what is absent: `dataset`, `labels` of the main counter,
 * `severity` (`critical`, `warning`, `info`), `recorded` (milliseconds since 1970), `rating`, `code`, `service`,
 * `resourceType`, `resourceId`, `resourceName`, `traceType`, `userId`, `userName`, `userDomain`, `via`, `requestId`,
 * `message`, `region`, `account` (domain of the project), `origin` (address of the service with the project), and `raw`,
 * the trace as received with its secrets masked.
 */
export function toEvent({ trace, source, place, labels, receivedAt }: EventParts): Event {
  const { id, name, time, recorded, resourceType, resourceId, resourceName } = trace;
  const targetId = resourceId ?? resourceName;
  return {
    id,
    time: time ?? recorded ?? receivedAt,
    source,
    action: name ?? '',
    outcome: outcomeOf(trace),
    actor: actorOf(trace),
    ...(targetId !== null && {
      target: { type: resourceType ?? '', id: targetId, ...(resourceName !== null && { name: resourceName }) },
    }),
    ...(place.projectId !== null && {
      scope: {
        type: 'project',
        id: place.projectId,
        ...(place.projectName !== null && { name: place.projectName }),
      },
    }),
    data: dataOf(trace, place, labels),
  };
}

/** How an operation ended: by its rating, else by its HTTP status. A log-in that failed may well be rated as normal. */
export function outcomeOf({ name, rating, code }: Trace): Outcome {
  const status = statusOf(code);
  const failed = status === 401 || status === 403 ? 'denied' : 'failed';
  if (name !== null && isFailedLogin(name)) return failed;
  if (rating === 'normal') return 'ok';
  if (rating === 'warning' || rating === 'incident') return failed;
  if (status === null) return 'unknown';
  return status < 400 ? 'ok' : failed;
}

function dataOf(trace: Trace, place: Place, labels: TraceLabels): Event['data'] {
  const { rating, user } = trace;
  const raw = maskTrace(trace.raw);
  const told = {
    recorded: trace.recorded,
    rating,
    code: trace.code,
    service: trace.service,
    resourceType: trace.resourceType,
    resourceId: trace.resourceId,
    resourceName: trace.resourceName,
    traceType: trace.traceType,
    userId: user?.id ?? null,
    userName: user?.name ?? null,
    userDomain: user?.domain ?? null,
    via: user?.via ?? null,
    requestId: trace.requestId,
    message: trace.message,
    region: place.region,
    account: place.account,
    origin: place.origin,
  };
  return {
    dataset: 'cts',
    labels: shownLabels(labels),
    severity: rating === 'incident' ? 'critical' : rating === 'warning' ? 'warning' : 'info',
    ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null && value !== '')),
    // What JSON.parse gave can be said in JSON.
    raw: isWithinDepth(raw, DEEPEST_RAW) ? (raw as Data) : jsonText(raw),
  };
}

function actorOf(trace: Trace): Party {
  const { user, sourceIp } = trace;
  const address = sourceIp !== null && { address: sourceIp };
  const id = user?.id ?? user?.name ?? null;
  if (id === null) {
    const type = isSystemAction(trace) ? 'system' : 'unknown';
    return { type, id: type, ...address };
  }
  const name = user?.name ?? null;
  return { type: 'user', id, ...(name !== null && { name }), ...address };
}

/** Null for what is no HTTP status. */
function statusOf(code: string | null): number | null {
  return code !== null && /^[1-5][0-9]{2}$/.test(code) ? Number(code) : null;
}

/** `loginfailed`, `iamUserSsoLoginFailed` and the like. */
function isFailedLogin(name: string): boolean {
  const text = name.toLowerCase();
  const login = text.indexOf('login');
  return login >= 0 && text.indexOf('fail', login + 'login'.length) >= 0;
}
