import fc from 'fast-check';
import t from 'tap';
import { type CloudTrailRecord, MALFORMED, parseRecord, SHAPE } from '../../../src/sources/cloudtrail/record.ts';

const BASE = { eventSource: 's3.amazonaws.com', eventName: 'GetObject' };

function parsed(more: object): CloudTrailRecord {
  const record = parseRecord(JSON.stringify({ ...BASE, ...more }));
  if ('rejected' in record) throw new Error(JSON.stringify(record));
  return record;
}

t.test('what is no record', async (t) => {
  for (const text of ['', '{', 'text', '{"a":1}}']) t.equal(parseRecord(text), MALFORMED, text);
  for (const text of ['null', '1', '"x"', '[]', '{}', '{"eventName":"x"}', '{"eventSource":"x","eventName":1}']) {
    t.equal(parseRecord(text), SHAPE, text);
  }
  t.equal(parseRecord('{"__proto__":{"eventSource":"a","eventName":"b"}}'), SHAPE, 'a name is data');
  t.equal(parseRecord('['.repeat(500_000) + ']'.repeat(500_000)), SHAPE, 'deep');
});

t.test('service', async (t) => {
  const cases: readonly (readonly [source: string, service: string])[] = [
    ['s3.amazonaws.com', 's3'],
    ['S3.AmazonAWS.com', 's3'],
    ['s3.amazonaws.com.cn', 's3'],
    ['a.b-c.amazonaws.com', 'a.b-c'],
    ['example.com', 'example.com'],
    ['', 'other'],
    ['.amazonaws.com', 'other'],
    ['Bad Source', 'other'],
    ['a_b.amazonaws.com', 'other'],
    [`${'a'.repeat(64)}.amazonaws.com`, 'a'.repeat(64)],
    [`${'a'.repeat(65)}.amazonaws.com`, 'other'],
  ];
  for (const [eventSource, service] of cases) t.equal(parsed({ eventSource }).service, service, eventSource);
});

t.test('region and account', async (t) => {
  const regions: readonly (readonly [awsRegion: unknown, region: string])[] = [
    ['eu-west-1', 'eu-west-1'],
    ['us-gov-east-1', 'us-gov-east-1'],
    ['us-iso-b-1', 'us-iso-b-1'],
    [undefined, ''],
    [null, ''],
    ['', ''],
    ['nowhere', 'other'],
    ['EU-WEST-1', 'other'],
    ['eu-west-10', 'other'],
    ['eu-west-1\n', 'other'],
    [`eu${'-a'.repeat(100_000)}`, 'other'],
    [1, 'other'],
    [{}, 'other'],
  ];
  for (const [awsRegion, region] of regions) t.equal(parsed({ awsRegion }).region, region, String(region));
  const accounts: readonly (readonly [recipientAccountId: unknown, userIdentity: unknown, account: string])[] = [
    ['111122223333', { accountId: '999900001111' }, '111122223333'],
    [undefined, { accountId: '999900001111' }, '999900001111'],
    ['', { accountId: '999900001111' }, '999900001111'],
    [null, { accountId: null }, ''],
    [undefined, undefined, ''],
    [undefined, [], ''],
    ['7', { accountId: '999900001111' }, 'other'],
    [111122223333, undefined, 'other'],
    ['1111222233334', undefined, 'other'],
  ];
  for (const [recipientAccountId, userIdentity, account] of accounts) {
    t.equal(parsed({ recipientAccountId, userIdentity }).account, account);
  }
});

t.test('outcome', async (t) => {
  const cases: readonly (readonly [more: object, outcome: string])[] = [
    [{}, 'ok'],
    [{ errorCode: '', errorMessage: '' }, 'ok'],
    [{ errorCode: null, errorMessage: 7 }, 'ok'],
    [{ errorCode: 'NoSuchKey' }, 'failed'],
    [{ errorMessage: 'no' }, 'failed'],
    [{ errorCode: 'AccessDenied' }, 'denied'],
    [{ errorCode: 'KMS.AccessDeniedException' }, 'denied'],
    [{ errorCode: 'Client.UnauthorizedOperation' }, 'denied'],
    [{ errorCode: '403Forbidden' }, 'denied'],
    [{ errorCode: 'NotAuthorizedException' }, 'denied'],
    [{ errorCode: 'AuthFailure' }, 'denied'],
    [{ errorCode: 'accessdenied' }, 'failed'],
    [{ errorMessage: 'AccessDenied' }, 'failed'],
    [{ eventName: 'ConsoleLogin' }, 'ok'],
    [{ eventName: 'ConsoleLogin', responseElements: { ConsoleLogin: 'Success' } }, 'ok'],
    [{ eventName: 'ConsoleLogin', responseElements: { ConsoleLogin: 'Failure' } }, 'denied'],
    [{ eventName: 'ConsoleLogin', errorMessage: 'No username found in supplied account' }, 'denied'],
    [{ eventName: 'ConsoleLogin', errorCode: 'InternalFailure' }, 'failed'],
    [{ responseElements: { ConsoleLogin: 'Failure' } }, 'ok'],
  ];
  for (const [more, outcome] of cases) t.equal(parsed(more).outcome, outcome, JSON.stringify(more));
});

t.test('identity, time and the rest', async (t) => {
  const record = parsed({ eventID: 'e-1', eventTime: '2024-05-11T09:30:00Z' });
  t.match(record, { id: 'e-1', originalId: null, time: Date.UTC(2024, 4, 11, 9, 30), excluded: false });
  t.match(record, { event: 'GetObject', eventName: 'GetObject' });
  const without = parsed({ eventTime: 'soon' });
  t.match(without, { id: /^[0-9a-f]{64}$/, time: null });
  t.equal(parsed({ eventTime: 'soon' }).id, without.id);
  t.not(parsed({ eventTime: 'later' }).id, without.id);
  t.match(parsed({ eventID: 7 }).id, /^[0-9a-f]{64}$/);
  const addendum = { reason: 'UPDATED_DATA', originalEventID: 'e-0' };
  t.equal(parsed({ eventID: 'e-1', addendum }).originalId, 'e-0');
  t.equal(parsed({ addendum: { ...addendum, reason: 'DELIVERY_DELAY' } }).originalId, null);
  t.equal(parsed({ addendum: { reason: 'UPDATED_DATA' } }).originalId, null);
  t.equal(parsed({ eventCategory: 'Insight' }).excluded, true);
  t.equal(parsed({ eventCategory: 'Data' }).excluded, false);
  t.equal(parsed({ eventName: 'a\nb' }).event, 'other');
});

t.test('members of any type give bounded labels', async () => {
  const names = [
    'eventTime',
    'awsRegion',
    'userIdentity',
    'recipientAccountId',
    'errorCode',
    'errorMessage',
    'eventID',
  ];
  const more = ['additionalEventData', 'responseElements', 'addendum', 'eventCategory', 'eventType', '__proto__'];
  const record = fc.dictionary(fc.constantFrom(...names, ...more), fc.jsonValue());
  fc.assert(
    fc.property(record, fc.constantFrom('ConsoleLogin', 'DeletePolicy', 'x'), (more, eventName) => {
      const { service, region, account, outcome, id } = parsed({ ...more, eventName });
      const labels = [service, region, account, outcome];
      if (id === '' || !labels.every((label) => /^[a-z0-9.-]{0,64}$/.test(label))) throw new Error(labels.join(' '));
    }),
  );
});
