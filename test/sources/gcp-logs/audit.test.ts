import t from 'tap';
import { readAudit } from '../../../src/sources/gcp-logs/audit.ts';

const PAYLOAD = {
  '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
  serviceName: 'storage.googleapis.com',
  methodName: 'storage.buckets.create',
};

function audit(payload: object, more: object = {}) {
  const read = readAudit({ protoPayload: { ...PAYLOAD, ...payload }, ...more });
  if (read === null) throw new Error('no audit event');
  return read;
}

t.test('what is an audit event', async (t) => {
  t.same(audit({}), {
    service: 'storage',
    method: 'storage.buckets.create',
    outcome: 'ok',
    methodName: 'storage.buckets.create',
    counted: true,
  });
  for (const protoPayload of [undefined, null, 'x', [], {}, { '@type': 'x.RequestLog' }, { '@type': 1 }]) {
    t.equal(readAudit({ protoPayload }), null);
  }
});

t.test('service and method', async (t) => {
  t.equal(audit({ serviceName: 'k8s.io' }).service, 'k8s.io');
  t.equal(audit({ serviceName: undefined }).service, 'other');
  t.equal(audit({ serviceName: '.googleapis.com' }).service, 'other');
  t.equal(audit({ methodName: 'a b' }).method, 'other');
  t.equal(audit({ methodName: 7 }).method, 'other');
});

t.test('outcome', async (t) => {
  const cases: readonly (readonly [status: unknown, outcome: string])[] = [
    [undefined, 'ok'],
    [null, 'ok'],
    [{}, 'ok'],
    [{ code: 0 }, 'ok'],
    [{ message: 'fine' }, 'ok'],
    [{ code: 7 }, 'denied'],
    [{ code: 16 }, 'denied'],
    [{ code: 6 }, 'failed'],
    [{ code: '7' }, 'failed'],
    [{ code: {} }, 'failed'],
    ['x', 'failed'],
    [[], 'failed'],
  ];
  for (const [status, outcome] of cases) t.equal(audit({ status }).outcome, outcome, JSON.stringify(status));
});

t.test('an operation counts at its end or failure, a split entry in its first part', async (t) => {
  const failed = { status: { code: 7 } };
  const cases: readonly (readonly [payload: object, more: object, counted: boolean])[] = [
    [{}, { operation: { id: 'o', first: true } }, false],
    [{}, { operation: { id: 'o' } }, false],
    [{}, { operation: { id: 'o', last: false } }, false],
    [{}, { operation: { id: 'o', last: 'true' } }, false],
    [{}, { operation: { id: 'o', last: true } }, true],
    [{}, { operation: { id: 'o', first: true, last: true } }, true],
    [failed, { operation: { id: 'o', first: true } }, true],
    [{}, { operation: null }, true],
    [{}, { split: { uid: 'u', index: 0, totalSplits: 2 } }, true],
    [{}, { split: { uid: 'u', totalSplits: 2 } }, true],
    [{}, { split: { uid: 'u', index: 1, totalSplits: 2 } }, false],
    [failed, { split: { uid: 'u', index: 1, totalSplits: 2 } }, false],
    [{}, { split: 'x', operation: [] }, true],
  ];
  for (const [payload, more, counted] of cases) t.equal(audit(payload, more).counted, counted, JSON.stringify(more));
});
