import { counter, frequent, histogram, maximum } from '../../core/metrics/define.ts';
import { DELIVERY_BUCKETS } from '../../core/objects/buckets.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

const ADDRESSES = frequent('s3', { one: 'address', many: 'addresses', events: 'requests' });
const ACCOUNTS = frequent('s3', { one: 'account', many: 'accounts', events: 'requests' });

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
  addressTop: ADDRESSES.top,
  addressTopError: ADDRESSES.topError,
  addressesDistinct: ADDRESSES.distinct,
  accountTop: ACCOUNTS.top,
  accountTopError: ACCOUNTS.topError,
  accountsDistinct: ACCOUNTS.distinct,
};
