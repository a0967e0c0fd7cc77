import fc from 'fast-check';
import t from 'tap';
import { type LogEntry, logIdOf, MALFORMED, parseEntry, SHAPE } from '../../../src/sources/gcp-logs/entry.ts';

const BASE = { logName: 'projects/demo-1/logs/syslog', timestamp: '2024-06-02T08:10:00.123456789Z', insertId: 's1' };

function parsed(more: object): LogEntry {
  const entry = parseEntry(JSON.stringify({ ...BASE, ...more }));
  if ('rejected' in entry) throw new Error(JSON.stringify(more));
  return entry;
}

t.test('what is no entry', async (t) => {
  for (const text of ['', '{', 'broken {']) t.equal(parseEntry(text), MALFORMED, text);
  for (const text of ['null', '[]', '"x"', '{}', '{"logName":1}', '{"__proto__":{"logName":"a"}}']) {
    t.equal(parseEntry(text), SHAPE, text);
  }
  t.equal(parseEntry('['.repeat(500_000) + ']'.repeat(500_000)), SHAPE, 'deep');
});

t.test('identity and time', async (t) => {
  const entry = parsed({});
  t.equal(entry.id, 'projects/demo-1/logs/syslog 2024-06-02T08:10:00.123456789Z s1');
  t.equal(Math.floor(entry.time ?? 0), Date.UTC(2024, 5, 2, 8, 10, 0, 123));
  for (const more of [{ insertId: undefined }, { insertId: '' }, { insertId: 7 }, { timestamp: undefined }]) {
    t.match(parsed(more).id, /^[0-9a-f]{64}$/);
    t.equal(parsed(more).id, parsed(more).id);
  }
  t.equal(parsed({ timestamp: 'soon' }).time, null);
  t.equal(parsed({ timestamp: 1717315800 }).time, null);
});

t.test('labels', async (t) => {
  const logs: readonly (readonly [logName: string, log: string])[] = [
    ['projects/p/logs/cloudaudit.googleapis.com%2Factivity', 'cloudaudit.googleapis.com/activity'],
    ['organizations/1/logs/a-b_c.d', 'a-b_c.d'],
    ['projects/p/logs/a/logs/b', 'a/logs/b'],
    ['projects/p/logs/a%20b', 'other'],
    ['projects/p/logs/%zz', 'other'],
    ['projects/p/logs/', 'other'],
    ['syslog', 'other'],
    ['', 'other'],
    [`projects/p/logs/${'x'.repeat(128)}`, 'x'.repeat(128)],
    [`projects/p/logs/${'x'.repeat(129)}`, 'other'],
  ];
  for (const [logName, log] of logs) t.equal(parsed({ logName }).log, log, logName);
  t.equal(logIdOf('projects/p/logs/a%2Fb'), 'a/b');
  const severities: readonly (readonly [severity: unknown, label: string])[] = [
    [undefined, 'DEFAULT'],
    [null, 'DEFAULT'],
    ['EMERGENCY', 'EMERGENCY'],
    ['info', 'other'],
    [200, 'other'],
    ['', 'other'],
  ];
  for (const [severity, label] of severities) t.equal(parsed({ severity }).severity, label);
  const types: readonly (readonly [resource: unknown, label: string])[] = [
    [undefined, ''],
    ['gce_instance', ''],
    [{}, ''],
    [{ type: 'gce_instance' }, 'gce_instance'],
    [{ type: 'A' }, 'other'],
    [{ type: 7 }, 'other'],
    [{ type: 'x'.repeat(65) }, 'other'],
  ];
  for (const [resource, label] of types) t.equal(parsed({ resource }).resourceType, label);
});

t.test('durations of requests', async (t) => {
  const cases: readonly (readonly [latency: unknown, ns: number | undefined])[] = [
    ['0.012345s', 12_345_000],
    ['1s', 1_000_000_000],
    ['0s', 0],
    ['3.000000001s', 3_000_000_001],
    ['0.0000000019s', 1],
    ['soon', undefined],
    ['-1s', undefined],
    ['1', undefined],
    ['1e3s', undefined],
    ['.5s', undefined],
    ['12ms', undefined],
    ['9'.repeat(13), undefined],
    [1, undefined],
    [null, undefined],
    [undefined, undefined],
  ];
  for (const [latency, ns] of cases)
    t.equal(parsed({ httpRequest: { latency } }).http?.durationNs, ns, String(latency));
  const codes: readonly (readonly [status: unknown, code: string])[] = [
    [200, '200'],
    ['404', '404'],
    [599, '599'],
    [99, 'other'],
    [600, 'other'],
    [200.5, 'other'],
    ['0200', 'other'],
    [undefined, 'other'],
    [{}, 'other'],
  ];
  for (const [status, code] of codes) t.equal(parsed({ httpRequest: { latency: '1s', status } }).http?.code, code);
  t.equal(parsed({ httpRequest: 'x' }).http, null);
});

t.test('members of any type give bounded labels', async () => {
  const names = ['severity', 'resource', 'timestamp', 'insertId', 'httpRequest', 'operation', 'split', '__proto__'];
  const payload = fc.dictionary(fc.constantFrom('serviceName', 'methodName', 'status'), fc.jsonValue());
  const entry = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(
    fc.property(entry, payload, (more, payload) => {
      const { severity, resourceType, audit } = parsed({ ...more, protoPayload: { ...payload, '@type': 'AuditLog' } });
      const labels = [severity, resourceType, audit?.service ?? '?', audit?.method ?? '?', audit?.outcome ?? '?'];
      if (!labels.every((label) => /^[A-Za-z0-9_./-]{0,128}$/.test(label))) throw new Error(labels.join(' '));
    }),
  );
});
