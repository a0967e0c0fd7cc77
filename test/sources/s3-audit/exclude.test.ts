import t from 'tap';
import { createExclusion } from '../../../src/sources/s3-audit/exclude.ts';
import { recordOf } from './counted.ts';

const NONE = { own: false, buckets: [], accounts: [], apis: [] };
const OWN = { bucket: 'audit-logs', accessKey: 'our-key' };
const CALL = { name: 'GetObject', bucket: 'pics' };

function line(requester: string, bucket = 'pics'): string {
  return `o ${bucket} [06/Feb/2026:00:00:38 +0000] - ${requester} - OP - "-" 200 - 1 1 1 1`;
}

function ops(fields: object): string {
  return JSON.stringify({ operation: 'get_obj', http_status: '200', ...fields });
}

t.test('what is our own', async (t) => {
  const isExcluded = createExclusion({ ...NONE, own: true }, OWN);
  const own = [
    JSON.stringify({ auditEntry: { api: { name: 'HeadObject', bucket: 'audit-logs' } } }),
    JSON.stringify({ api: CALL, accessKey: 'our-key' }),
    JSON.stringify({ auditEntry: { api: CALL, accessKey: 'our-key' } }),
    JSON.stringify({ api: { name: 'ILMExpiry', bucket: 'audit-logs' }, trigger: 'ilm:expiry' }),
    ops({ bucket: 'audit-logs' }),
    ops({ access_key_id: 'our-key' }),
    line('-', 'audit-logs'),
  ];
  const others = [
    JSON.stringify({ api: CALL }),
    JSON.stringify({ api: CALL, parentUser: 'our-key', accessKey: 5 }),
    JSON.stringify({ api: { name: 'GetObject', bucket: 'audit-logs-2' } }),
    ops({ user: 'our-key' }),
    line('our-key'),
    '{"ConsoleEvent":{}}',
  ];
  for (const text of own) t.ok(isExcluded(recordOf(text)), text);
  for (const text of others) t.notOk(isExcluded(recordOf(text)), text);
  for (const never of [
    createExclusion(NONE, OWN),
    createExclusion({ ...NONE, own: true }, { bucket: null, accessKey: null }),
  ]) {
    for (const text of own) t.notOk(never(recordOf(text)), text);
  }
});

t.test('accounts under each of their names', async (t) => {
  const isExcluded = createExclusion({ ...NONE, accounts: ['bot', ''] }, OWN);
  const excluded = [
    JSON.stringify({ auditEntry: { api: CALL }, serviceAccountName: 'bot' }),
    JSON.stringify({ api: CALL, parentUser: 'bot' }),
    JSON.stringify({ api: CALL, accessKey: 'bot' }),
    ops({ user: 'bot' }),
    ops({ access_key_id: 'bot' }),
    line('bot'),
  ];
  for (const text of excluded) t.ok(isExcluded(recordOf(text)), text);
  for (const text of [JSON.stringify({ api: CALL }), ops({ user: 'Bot' }), line('bot2'), '{"ApiEvent":{}}']) {
    t.notOk(isExcluded(recordOf(text)), text);
  }
});

t.test('buckets and operations as they are written', async (t) => {
  const isExcluded = createExclusion({ ...NONE, buckets: ['ümlaut', ''], apis: ['Get Object'] }, OWN);
  t.ok(isExcluded(recordOf(JSON.stringify({ api: { name: 'x', bucket: 'ümlaut' } }))), 'not by the label');
  t.ok(isExcluded(recordOf(JSON.stringify({ api: { name: 'Get Object' } }))));
  t.notOk(isExcluded(recordOf(JSON.stringify({ api: { name: 'other', bucket: 'other' } }))));
  t.notOk(isExcluded(recordOf('{"ConsoleEvent":{}}')));
});
