import { counter, frequent, histogram } from '../../core/metrics/define.ts';
import { DELIVERY_BUCKETS } from '../../core/objects/buckets.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

const USERS = frequent('gcp', { one: 'user', many: 'users', events: 'entries' });
const ADDRESSES = frequent('gcp', { one: 'address', many: 'addresses', events: 'entries' });

/** Metrics of the logs of Google Cloud. A sink writes each hour's files some hours later. */
export const GCP_LOGS_METRICS = {
  entries: counter('gcp_log_entries_total', 'Log entries, those of audit logs and of requests included.', [
    'log',
    'severity',
    'resource_type',
  ]),
  auditEvents: counter(
    'gcp_audit_events_total',
    'Calls to the API of Google Cloud, from audit logs; a long operation counts at its end.',
    ['service', 'method', 'outcome'],
  ),
  httpDuration: histogram(
    'gcp_http_request_duration_seconds',
    'Time that requests took, as load balancers and services log it.',
    ['code'],
    SECONDS,
    { exemplar: 'trace_id' },
  ),
  deliveryLag: histogram(
    'gcp_delivery_lag_seconds',
    'Time from an entry to the arrival of its file.',
    [],
    DELIVERY_BUCKETS,
  ),
  userTop: USERS.top,
  userTopError: USERS.topError,
  usersDistinct: USERS.distinct,
  addressTop: ADDRESSES.top,
  addressTopError: ADDRESSES.topError,
  addressesDistinct: ADDRESSES.distinct,
};
