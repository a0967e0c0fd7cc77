import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { fakeS3 } from '../support/fake-s3.ts';
import { startCollecting } from '../support/growing.ts';
import { get } from '../support/http.ts';
import { seeded, seedOf } from '../support/random.ts';
import { ACCOUNT, REGION, trailDigest, trailFile, trailKey, trailRecord } from '../support/trail.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 4;
const FILES = 50;
const RECORDS = 100;
const HOUR = 3_600_000;
const seed = seedOf(20_261_121);

t.setTimeout(110_000);

t.test(`killed ${KILLS} times while files come that repeat each other (seed ${seed})`, async (t) => {
  const random = seeded(seed);
  const s3 = await fakeS3(t);
  const { url: endpoint, bucket, accessKey: access_key, secretKey: secret_key } = s3;
  const section = { endpoint, bucket, access_key, secret_key, interval: '50ms', since: '7d', digests: true };
  const place = home(t, { sources: { cloudtrail: section } });
  const ids: string[] = [];
  const files: Record<string, string> = {};
  let items = 0;

  function put(): void {
    const records = [...Array(RECORDS)].map(() => {
      // One of ten came before, in this file or in another one.
      if (ids.length > 0 && random.chance(0.1)) return trailRecord(ids[random.within(0, ids.length - 1)] ?? '');
      ids.push(`e${ids.length}`);
      return trailRecord(ids.at(-1) ?? '');
    });
    items += RECORDS;
    const key = trailKey({ time: Date.now() - random.within(0, 24 * HOUR), unique: `f${items}x` });
    const content = trailFile(records);
    files[key] = gunzipSync(content).toString();
    s3.put(key, content);
  }

  const end = Math.floor(Date.now() / 1_000) * 1_000;
  const digest = (time: number) => trailKey({ time, kind: 'CloudTrail-Digest' });
  s3.put(digest(end - HOUR), trailDigest(end - HOUR, {}));
  let program: Program = await place.start();
  const collecting = startCollecting(() => (program.isListening() ? program.url : null));
  const putting = (async () => {
    for (let count = 0; count < FILES; count++) {
      put();
      await sleep(random.within(0, 100));
    }
    s3.put(digest(end), trailDigest(end, files));
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(random.within(100, 900));
    await program.kill();
    program = await place.start({ until: random.chance(0.5) ? 'spawned' : 'ready' });
  }
  await putting;
  await program.ready();

  const source = { source: 'cloudtrail' };
  const last = await eventually('all files to be counted', async () => {
    const exposition = await collecting.collect();
    return exposition?.value('trailgauge_source_items_total', source) === items ? exposition : null;
  });
  t.equal(last.value('trailgauge_source_events_total', source), ids.length);
  t.equal(last.value('trailgauge_source_duplicates_total', source), items - ids.length);
  const labels = { service: 's3', region: REGION, account: ACCOUNT, outcome: 'ok' };
  t.equal(last.value('cloudtrail_events_total', labels), ids.length);
  t.equal(last.value('cloudtrail_delivery_lag_seconds_count'), ids.length);
  const proven = `digests prove that all is read that came before ${new Date(end).toISOString()}`;
  await eventually(`${proven}:\n${program.log()}`, async () =>
    (await get(`${program.url}/api/v1/status`)).text.includes(proven),
  );
  t.equal((await collecting.collect())?.value('trailgauge_source_errors_total', source), 0);
  await collecting.end();
  t.ok(collecting.answers > KILLS);
  t.comment(`${items} records, ${items - ids.length} of them repeated, ${collecting.answers} answers`);
});
