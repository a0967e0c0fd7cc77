import { gzipSync } from 'node:zlib';
import t from 'tap';
import { startCloud } from '../../support/cloud-rig.ts';
import { memoryStore } from '../../support/memory-store.ts';

const NOW = Date.UTC(2026, 4, 4, 12, 30);
const HOUR = 3_600_000;
const ITEMS = 'trailgauge_source_items_total{source="gcp-logs"}';
const EVENTS = 'trailgauge_source_events_total{source="gcp-logs"}';
const DUPLICATES = 'trailgauge_source_duplicates_total{source="gcp-logs"}';
const rejected = (reason: string) => `trailgauge_source_rejected_total{source="gcp-logs",reason="${reason}"}`;

function entry(insertId: string, more: Readonly<Record<string, unknown>> = {}): string {
  const entry = { logName: 'projects/p/logs/syslog', timestamp: '2026-05-04T11:00:00.5Z', insertId, textPayload: 'x' };
  return `${JSON.stringify({ ...entry, ...more })}\n`;
}

const S0 = 'syslog/2026/05/04/11:00:00_11:59:59_S0.json';
const S1 = 'syslog/2026/05/04/11:00:00_11:59:59_S1.json';

t.test('an entry counts once: in shards, in late files of days ago, after a restart, put again', async (t) => {
  const store = memoryStore(() => NOW);
  store.put(S0, entry('a') + entry('b') + entry('a'));
  store.put(S1, entry('b') + entry('c'));
  store.put('other%2Flog/2026/05/04/11:00:00_11:59:59_S0.json', entry('a', { logName: 'projects/p/logs/other%2Flog' }));
  const before = startCloud(t, { source: 'gcp-logs', store, now: () => NOW });
  await before.reaches(ITEMS, 6);
  t.match(await before.shown(), { [EVENTS]: 4, [DUPLICATES]: 2 }, 'of another log it is another one');
  // It lies before all that was read.
  store.put(
    'syslog/2026/05/01/13:00:00_13:59:59_A0:1777890600.json',
    entry('late', { timestamp: '2026-05-01T13:00:00Z' }) + entry('c'),
  );
  await before.reaches(ITEMS, 8);
  t.match(await before.shown(), { [EVENTS]: 5, [DUPLICATES]: 3 });
  await before.stop();
  store.put(S0, gzipSync(entry('a') + entry('b') + entry('d')));
  const after = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, disk: before.disk });
  await after.reaches(ITEMS, 3);
  t.match(await after.shown(), {
    'gcp_log_entries_total{log="syslog",severity="DEFAULT"}': 1,
    [EVENTS]: 1,
    [DUPLICATES]: 2,
  });
});

t.test('late files of days before it stopped, which came while it was down', async (t) => {
  const clock = { now: NOW };
  const store = memoryStore(() => clock.now);
  store.put(S0, entry('a'));
  store.put('syslog/2026/05/02/00:00:00_00:59:59_S0.json', entry('b'));
  const before = startCloud(t, { source: 'gcp-logs', store, now: () => clock.now });
  await before.reaches(ITEMS, 2);
  await before.rounds();
  await before.stop();
  clock.now += 24 * HOUR;
  store.put('syslog/2026/05/02/00:00:00_00:59:59_A0:1777900000.json', entry('late'));
  clock.now += 5 * 24 * HOUR;
  const after = startCloud(t, { source: 'gcp-logs', store, now: () => clock.now, disk: before.disk });
  await after.reaches(ITEMS, 1);
  await after.rounds();
  t.equal(await after.value(ITEMS), 1);
});

t.test('a large bucket: late files are found, old ones are not listed again and again', async (t) => {
  const store = memoryStore(() => NOW);
  const old = [...Array(1_500)].map((_, index) => `syslog/2026/04/${10 + (index % 15)}/${index}.json`);
  for (const key of old) store.put(key, '', { modified: NOW - 300 * HOUR });
  store.put(S0, entry('a'));
  const rig = startCloud(t, { source: 'gcp-logs', store, now: () => NOW });
  await rig.reaches(ITEMS, 1);
  store.put('syslog/2026/05/01/00:00:00_00:59:59_A0:1777890600.json', entry('late'));
  await rig.reaches(ITEMS, 2);
  t.same(
    store.gets.filter((key) => old.includes(key)),
    [],
  );
});

t.test('reasons, lines of all sorts, hostile ones', async (t) => {
  const store = memoryStore(() => NOW);
  const base = entry('long', { textPayload: '' }).length - 1;
  const exact = entry('long', { textPayload: 'x'.repeat(1_048_576 - base) });
  const long = entry('longer', { textPayload: 'x'.repeat(1_048_577 - base) });
  const bomb = `{"logName":"projects/p/logs/a","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}\r\n`;
  const proto = '{"__proto__":{"logName":"x"}}\n';
  const odd =
    '{"logName":"__proto__","severity":7,"resource":{"type":["a"]},"httpRequest":{"latency":1,"status":"200"},"protoPayload":{"@type":"x.AuditLog","serviceName":{},"status":"x"},"insertId":9,"timestamp":"2026-05-04T11:00:00Z"}\n';
  store.put(S0, `\ufeff${exact}${long}\r\n\n${bomb}${proto}${odd}7\n[]\n"x"\nnull\n{\nhello`);
  const rig = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, follow: false });
  await rig.pipeline.done;
  const found = await rig.shown();
  t.match(found, { [ITEMS]: 11, [EVENTS]: 3 });
  t.match(found, { [rejected('too_long')]: 1, [rejected('shape')]: 5, [rejected('malformed')]: 2 });
  t.equal(found['gcp_log_entries_total{log="other",severity="other",resource_type="other"}'], 1);
  t.equal(found['gcp_audit_events_total{service="other",method="other",outcome="failed"}'], 1);
  t.equal(found['gcp_log_entries_total{log="a",severity="DEFAULT"}'], 1);
});

t.test('a file that is cut leaves nothing behind', async (t) => {
  const store = memoryStore(() => NOW);
  const lines = [...Array(5_000)].map((_, index) => entry(`${index}`, { x: `${Math.sin(index)}` })).join('');
  store.put(S0, gzipSync(lines).subarray(0, -9));
  const rig = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, follow: false });
  await rig.pipeline.done;
  t.notOk(ITEMS in (await rig.shown()));
});

t.test('logs: only these folders, and no years above them', async (t) => {
  const store = memoryStore(() => NOW);
  const keys = ['a', 'a/b', 'a/bc', 'ab', 'c/a'].map(
    (log) => [log, `${log}/2026/05/04/11:00:00_11:59:59_S0.json`] as const,
  );
  for (const [log, key] of keys) {
    store.put(key, entry(log, { logName: `projects/p/logs/${encodeURIComponent(log)}` }));
    store.put(`2026/${key}`, entry('x'));
  }
  const run = async (logs: readonly string[]) => {
    const rig = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, follow: false, config: { logs } });
    await rig.pipeline.done;
    const shown = Object.keys(await rig.shown());
    return shown.flatMap((series) => /^gcp_log_entries_total.*log="([^"]+)"/.exec(series)?.[1] ?? []).sort();
  };
  t.same(await run(['a/b']), ['a/b']);
  t.same(await run(['a', 'c/a']), ['a', 'c/a']);
  t.same(await run([]), ['a', 'a/b', 'a/bc', 'ab', 'c/a']);
  t.notOk(store.lists.includes('2026/'), 'not all there is');
});

t.test('a range selects entries by their time', async (t) => {
  const store = memoryStore(() => NOW);
  const at = (hours: number) => ({ timestamp: new Date(NOW + hours * HOUR).toISOString() });
  store.put(S0, ['-3', '-2', '-1', '0', '5'].map((hours) => entry(hours, at(Number(hours)))).join(''));
  const range = { since: NOW - 2 * HOUR, until: NOW };
  const rig = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, follow: false, range });
  await rig.pipeline.done;
  t.equal(await rig.value(ITEMS), 2);
});

t.test('a file that is given up counts as an error', async (t) => {
  const store = memoryStore(() => NOW);
  store.put(S0, gzipSync(entry('a')).subarray(0, -9));
  const rig = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, follow: false });
  await rig.pipeline.done;
  t.equal(await rig.value('trailgauge_source_errors_total{source="gcp-logs"}'), 1);
});

t.test('the busiest users and addresses, of audit logs and of requests', async (t) => {
  const store = memoryStore(() => NOW);
  const audit = (principalEmail: string, callerIp: string) => ({
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      authenticationInfo: { principalEmail },
      requestMetadata: { callerIp },
    },
  });
  store.put(
    S0,
    entry('a', audit('kim@example.com', '192.0.2.1')) +
      entry('b', audit('kim@example.com', 'private')) +
      entry('c', { httpRequest: { remoteIp: '192.0.2.1', status: 200 } }) +
      entry('d'),
  );
  const values = async (config: Readonly<Record<string, unknown>>) => {
    const { pipeline, shown } = startCloud(t, { source: 'gcp-logs', store, now: () => NOW, follow: false, config });
    await pipeline.done;
    return Object.fromEntries(Object.entries(await shown()).filter(([name]) => /_top|_distinct/.test(name)));
  };
  t.same(await values({}), {
    'gcp_user_top{user="kim@example.com"}': 2,
    gcp_users_distinct: 1,
    'gcp_address_top{address="192.0.2.1"}': 2,
    gcp_addresses_distinct: 1,
  });
  t.same(await values({ top: 0, distinct: false }), {});
});
