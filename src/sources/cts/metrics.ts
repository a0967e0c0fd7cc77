import { counter, distinct, gauge, histogram, top, topError } from '../../core/metrics/define.ts';

const USER_TOP = top('cts_user_top', 'Traces of the most active users in the last 24 hours.', [], 'user');
const ADDRESS_TOP = top(
  'cts_address_top',
  'Traces of the most active source addresses in the last 24 hours.',
  [],
  'address',
);

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
  userTop: USER_TOP,
  userTopError: topError(USER_TOP, 'By how much cts_user_top may be too high, where there are more than 10,000 users.'),
  usersDistinct: distinct(
    'cts_users_distinct',
    'Different users in the traces of the last 24 hours, estimated where they are more than 1,000.',
    [],
  ),
  addressTop: ADDRESS_TOP,
  addressTopError: topError(
    ADDRESS_TOP,
    'By how much cts_address_top may be too high, where there are more than 10,000 addresses.',
  ),
  addressesDistinct: distinct(
    'cts_addresses_distinct',
    'Different source addresses in the traces of the last 24 hours, estimated where they are more than 1,000.',
    [],
  ),
} as const;
