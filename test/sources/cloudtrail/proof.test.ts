import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { startCloud } from '../../support/cloud-rig.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { trailDigest, trailFile, trailKey, trailRecord } from '../../support/trail.ts';
import { eventually } from '../../support/trailgauge.ts';

const NOW = Date.UTC(2026, 4, 1, 12, 30);
const HOUR = 3_600_000;
/** New folders are looked for so often. */
const FOLDERS = HOUR / 6;
const EVENTS = 'trailgauge_source_events_total{source="cloudtrail"}';
const ERRORS = 'trailgauge_source_errors_total{source="cloudtrail"}';
const NOON = NOW - HOUR / 2;

/** A file of one event by the name of the file, and what it unpacks to. */
function file(unique: string, time = NOW) {
  const content = trailFile([trailRecord(unique)]);
  return { key: trailKey({ time, unique }), content, text: gunzipSync(content).toString() };
}

function digestKey(time = NOON, region = 'eu-west-1'): string {
  return trailKey({ time, region, kind: 'CloudTrail-Digest' });
}

function start(t: Parameters<typeof startCloud>[0], more: Partial<Parameters<typeof startCloud>[1]> = {}) {
  const clock = { now: NOW };
  const { store = memoryStore(() => clock.now) } = more;
  const config = { digests: true, ...more.config };
  const rig = startCloud(t, { source: 'cloudtrail', now: () => clock.now, ...more, store, config });
  const remarks = () => rig.pipeline.status().remarks.map(({ text, bad }) => `${bad ? '! ' : ''}${text}`);
  const remark = (wanted: string) =>
    eventually(
      () => `${wanted} among ${remarks()}`,
      () => remarks().includes(wanted),
    );
  return { ...rig, store, clock, remarks, remark };
}

const proven = (time: number) => `digests prove that all is read that came before ${new Date(time).toISOString()}`;

t.test('a file that no listing shows is found by its key, and counted once', async (t) => {
  const old = file('old', NOW - 20 * 24 * HOUR);
  const now = file('now');
  const { store, ...rig } = start(t);
  store.put(now.key, now.content);
  store.put(old.key, old.content);
  await rig.reaches(EVENTS, 1);
  await rig.rounds();
  t.equal(await rig.value(EVENTS), 1, 'the folder of its day is not listed');
  t.same(rig.remarks(), ['no digest file has been read yet']);
  rig.clock.now += FOLDERS;
  store.put(digestKey(), trailDigest(NOON, { [now.key]: now.text, [`b/c/${old.key}`]: old.text }));
  await rig.reaches(EVENTS, 2);
  await rig.remark(proven(NOON));
  await rig.rounds();
  t.equal(await rig.value(EVENTS), 2);
  t.equal(await rig.value(ERRORS), 0);
  t.equal(await rig.value('trailgauge_source_items_total{source="cloudtrail"}'), 2, 'a digest holds no items');
  t.same(rig.remarks(), [proven(NOON)]);
});

t.test('what is not proven: missing files, other content, gaps', async (t) => {
  const [wrong, missing, good] = [file('wrong'), file('missing'), file('good')];
  const { store, ...rig } = start(t);
  store.put(wrong.key, wrong.content);
  store.put(good.key, good.content);
  store.put(digestKey(NOON - HOUR), trailDigest(NOON - HOUR, { [good.key]: good.text }));
  store.put(digestKey(NOON), trailDigest(NOON, { [wrong.key]: 'other', [missing.key]: missing.text }));
  await rig.reaches(ERRORS, 2);
  await rig.reaches(EVENTS, 2);
  await rig.rounds();
  t.equal(await rig.value(ERRORS), 2, 'each is told once');
  const faults = [
    `! not the content that a digest file tells of: ${wrong.key}`,
    `! missing, though a digest file lists it: ${missing.key}`,
  ];
  t.same(rig.remarks().toSorted(), [...faults, proven(NOON - HOUR)].toSorted());
  await rig.stop();

  const after = start(t, { store, disk: rig.disk });
  await after.rounds();
  t.same(after.remarks().toSorted(), [...faults, proven(NOON - HOUR)].toSorted(), 'over a restart');
  after.clock.now += 2 * HOUR;
  store.put(missing.key, missing.content);
  store.put(wrong.key, 'x');
  store.put(wrong.key, `${gunzipSync(wrong.content)}`.replace(/.*/s, wrong.text));
  await after.reaches(EVENTS, 1);
  await after.remark(faults[0] ?? '');
  t.same(after.remarks().toSorted(), [faults[0], proven(NOON - HOUR)].toSorted(), 'it was found');
});

t.test('hours without a digest, and regions that fall behind', async (t) => {
  const { store, ...rig } = start(t);
  const put = (end: number, region?: string) => store.put(digestKey(end, region), trailDigest(end, {}));
  put(NOON - 4 * HOUR);
  put(NOON - 2 * HOUR);
  put(NOON - HOUR);
  await rig.remark(proven(NOON - 4 * HOUR));
  put(NOON - 3 * HOUR);
  await rig.remark(proven(NOON - HOUR));
  rig.clock.now += FOLDERS;
  put(NOON - 7 * HOUR, 'us-east-1');
  await rig.remark(`! ${proven(NOON - 7 * HOUR)}; 111122223333/us-east-1 is the furthest behind`);
  put(NOON - 2 * HOUR, 'us-east-1');
  rig.clock.now += 30 * HOUR;
  await rig.reaches(ERRORS, 1);
  await rig.remark(
    `! not proven to be read: 111122223333/us-east-1 from ${new Date(NOON - 7 * HOUR).toISOString()} to ${new Date(NOON - 3 * HOUR).toISOString()}`,
  );
  t.equal(await rig.value(ERRORS), 1);
  rig.clock.now += 8 * 24 * HOUR;
  await eventually('chains that ended to be forgotten', () =>
    rig.remarks().includes('no digest file has been read yet'),
  );
});

t.test('a digest is read before its files, or broken, or lists what is too old', async (t) => {
  const [early, old] = [file('early'), file('old')];
  const { store, ...rig } = start(t);
  store.put(old.key, old.content, { modified: NOW - 2 * HOUR });
  store.put(digestKey(NOON), 'no digest');
  store.put(digestKey(NOON - HOUR), trailDigest(NOON - HOUR, { [early.key]: early.text, [old.key]: old.text }));
  await rig.reaches(ERRORS, 1);
  t.equal(await rig.value(EVENTS), 0);
  store.put(early.key, early.content);
  await rig.reaches(EVENTS, 1);
  await rig.remark(proven(NOON - HOUR));
  t.match(
    rig.logged.find(({ msg }) => msg === 'object is broken'),
    { problem: 'is no sound digest file: found no JSON object, wanted a digest of CloudTrail' },
  );
  await rig.rounds();
  t.equal(await rig.value(EVENTS), 1, 'what came before the first start is not read for that');
});

t.test('once: all digests are compared', async (t) => {
  const store = memoryStore(() => NOW);
  const [good, wrong, missing] = [file('good'), file('wrong'), file('missing')];
  store.put(good.key, good.content);
  store.put(wrong.key, wrong.content);
  store.put(
    digestKey(),
    trailDigest(NOON, { [good.key]: good.text, [wrong.key]: 'other', [missing.key]: missing.text }),
  );
  const rig = start(t, { store, follow: false });
  await rig.pipeline.done;
  t.equal(await rig.value(EVENTS), 2);
  t.equal(await rig.value(ERRORS), 2);
});

t.test('digests that were turned on later trust what was counted before', async (t) => {
  const one = file('one');
  const store = memoryStore(() => NOW);
  store.put(one.key, one.content);
  const before = start(t, { store, config: { digests: false } });
  await before.reaches(EVENTS, 1);
  store.put(digestKey(), trailDigest(NOON, { [one.key]: one.text }));
  await before.rounds();
  await before.stop();
  const after = start(t, { store, disk: before.disk });
  await after.remark(proven(NOON));
  t.equal(await after.value(ERRORS), 0);
  t.equal(await after.value('trailgauge_source_items_total{source="cloudtrail"}'), 0);
});
