import type { Outcome } from '../../core/event.ts';
import { isObject, type JsonObject, objectAt, textAt } from '../../lib/json-value.ts';
import { nameLabel } from './labels.ts';

/** The audit event of an entry. */
export interface Audit {
  /** Values of labels. */
  readonly service: string;
  readonly method: string;
  readonly outcome: Outcome;
  readonly methodName: string;
  /**
   * False for what another entry tells too: a long operation is logged at its start and at its end, a large entry in
   * parts. It counts at its end, or when it fails, and in its first part.
   */
  readonly counted: boolean;
}

/** Reads the audit event of an entry; null if it is no audit entry (Google Cloud, "AuditLog"). */
export function readAudit(entry: JsonObject): Audit | null {
  const payload = objectAt(entry, 'protoPayload');
  if (payload === null || !textAt(payload, '@type').endsWith('AuditLog')) return null;
  const outcome = outcomeOf(payload.status);
  const operation = objectAt(entry, 'operation');
  const ends = operation === null || operation.last === true || outcome !== 'ok';
  const index = objectAt(entry, 'split')?.index;
  const methodName = textAt(payload, 'methodName');
  return {
    service: nameLabel(withoutSuffix(textAt(payload, 'serviceName'))),
    method: nameLabel(methodName),
    outcome,
    methodName,
    counted: ends && !(typeof index === 'number' && index > 0),
  };
}

const SUFFIX = '.googleapis.com';

function withoutSuffix(service: string): string {
  return service.endsWith(SUFFIX) ? service.slice(0, -SUFFIX.length) : service;
}

/** Of a `google.rpc.Status`: a code that is not written is 0, as in all of protobuf's JSON. */
function outcomeOf(status: unknown): Outcome {
  if (status === undefined || status === null) return 'ok';
  if (!isObject(status)) return 'failed';
  const code = status.code ?? 0;
  if (code === 0) return 'ok';
  return code === PERMISSION_DENIED || code === UNAUTHENTICATED ? 'denied' : 'failed';
}

const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
