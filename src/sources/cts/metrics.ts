import { counter, frequent, gauge, histogram } from '../../core/metrics/define.ts';

const USERS = frequent('cts', { one: 'user', many: 'users', events: 'traces' });
const ADDRESSES = frequent('cts', { one: 'address', many: 'addresses', events: 'traces' });

/** Metrics of Open Telekom Cloud's Cloud Trace Service. */
export const CTS_METRICS = {
  traces: counter(
    'cts_traces_total',
    'Traces: operations on the cloud. Asynchronous ones leave two, of the request and of its result. `operation`, `user`, `region` and `project` only where they are configured.',
    ['service', 'resource_type', 'trace_type', 'rating', 'operation', 'user', 'region', 'project'],
    { gives: ['user', 'operation'], exemplar: 'request_id' },
  ),
  visibility: histogram(
    'cts_trace_visibility_seconds',
    'Time from the record of a trace to the answer that showed it first, while polls come on time.',
    [],
    [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600],
  ),
  apiRequests: counter(
    'cts_api_requests_total',
    'Requests to the API and to the sign-in, by HTTP status, or `timeout`, or `network`.',
    ['operation', 'code'],
  ),
  apiSeconds: histogram(
    'cts_api_request_seconds',
    'Time from a request to the end of its answer.',
    [],
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ),
  tokenExpiry: gauge('cts_token_expiry_timestamp_seconds', 'When the token expires that is in use.', []),
  windowGap: counter(
    'cts_window_gap_seconds_total',
    'Seconds whose traces were not read: older than what the service keeps, or in no answer that can be read.',
    [],
  ),
  lastTrace: gauge('cts_last_trace_timestamp_seconds', 'The latest time at which a trace was recorded.', []),
  userTop: USERS.top,
  userTopError: USERS.topError,
  usersDistinct: USERS.distinct,
  addressTop: ADDRESSES.top,
  addressTopError: ADDRESSES.topError,
  addressesDistinct: ADDRESSES.distinct,
} as const;
