import { counter, frequent, histogram } from '../../core/metrics/define.ts';
import { DELIVERY_BUCKETS } from '../../core/objects/buckets.ts';

const USERS = frequent('cloudtrail', { one: 'user', many: 'users', events: 'events' });
const ADDRESSES = frequent('cloudtrail', { one: 'address', many: 'addresses', events: 'events' });

/** Metrics of CloudTrail. */
export const CLOUDTRAIL_METRICS = {
  events: counter(
    'cloudtrail_events_total',
    'Calls to the API of AWS, and sign-ins; `event` only where it is configured.',
    ['service', 'region', 'account', 'outcome', 'event'],
  ),
  securityEvents: counter(
    'cloudtrail_security_events_total',
    'Events that a monitoring control of the CIS AWS Foundations Benchmark asks to watch.',
    ['control'],
    { exemplar: 'event_id' },
  ),
  deliveryLag: histogram(
    'cloudtrail_delivery_lag_seconds',
    'Time from an event to the arrival of its log file.',
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
