import { counter, distinct, histogram, maximum, top, topError } from '../../core/metrics/define.ts';
import { DELIVERY_BUCKETS } from '../../core/objects/buckets.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

const ADDRESS_TOP = top(
  's3_address_top',
  'Requests of the client addresses that asked most in the last 24 hours.',
  [],
  'address',
);
const ACCOUNT_TOP = top(
  's3_account_top',
  'Requests of the accounts that asked most in the last 24 hours.',
  [],
  'account',
);

/** Metrics of audit logs of S3 stores. Objects arrive some time after the requests, mostly each hour. */
export const S3_AUDIT_METRICS = {
  requests: counter('s3_requests_total', 'Requests by operation, bucket and HTTP status.', ['api', 'bucket', 'code']),
  duration: histogram(
    's3_request_duration_seconds',
    'Time from a request to the end of its answer.',
    ['api', 'bucket'],
    SECONDS,
    { exemplar: 'request_id' },
  ),
  durationMax: maximum(
    's3_request_duration_seconds_max',
    'The longest time of a request in the last hour before the newest one.',
    ['api', 'bucket'],
  ),
  firstByte: histogram(
    's3_time_to_first_byte_seconds',
    'Time from a request to the first byte of its answer.',
    ['api'],
    SECONDS,
  ),
  requestBytes: counter('s3_request_bytes_total', 'Bytes that clients sent.', ['api', 'bucket']),
  responseBytes: counter('s3_response_bytes_total', 'Bytes that were sent to clients.', ['api', 'bucket']),
  consoleEvents: counter('s3_console_events_total', 'Actions in the console, and of the account API.', [
    'event',
    'outcome',
  ]),
  iamEvents: counter('s3_iam_events_total', 'Events of the account and access management.', ['event']),
  logObjects: counter(
    's3_log_objects_total',
    'Log objects by what became of them; `failed`: an attempt that is repeated.',
    ['result'],
  ),
  deliveryLag: histogram(
    's3_log_delivery_lag_seconds',
    'Time from an event to the arrival of its log object.',
    [],
    DELIVERY_BUCKETS,
  ),
  addressTop: ADDRESS_TOP,
  addressTopError: topError(
    ADDRESS_TOP,
    'By how much s3_address_top may be too high, where there are more than 10,000 addresses.',
  ),
  addressesDistinct: distinct(
    's3_addresses_distinct',
    'Different client addresses in the requests of the last 24 hours, estimated where they are more than 1,000.',
    [],
  ),
  accountTop: ACCOUNT_TOP,
  accountTopError: topError(
    ACCOUNT_TOP,
    'By how much s3_account_top may be too high, where there are more than 10,000 accounts.',
  ),
  accountsDistinct: distinct(
    's3_accounts_distinct',
    'Different accounts in the requests of the last 24 hours, estimated where they are more than 1,000.',
    [],
  ),
};
