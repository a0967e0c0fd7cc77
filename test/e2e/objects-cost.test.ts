import t, { type Test } from 'tap';
import { auditSection, lyveLine, sumOf } from '../support/audit.ts';
import { type FakeS3, fakeS3 } from '../support/fake-s3.ts';
import { get } from '../support/http.ts';
import { eventually, home } from '../support/trailgauge.ts';

const DAY = 86_400_000;
const MANY = 1_000_000;
/** Days over which the old ones lie. */
const DAYS = 1_000;

t.setTimeout(100_000);

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** Of a day: `2026-05-09`. */
function stamp(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

interface Layout {
  readonly layout: 'flat' | 'dated' | 'lyve';
  /** The key of an object of a day, in its hour. */
  readonly key: (day: string, name: string) => string;
  /** Days from the last of the old ones until now. */
  readonly ago: number;
  /** Calls of the first look, and of each later one. */
  readonly first: number;
  readonly later: number;
}

/** A million objects that are long there, and a few that are new. */
async function storeWith(t: Test, { key, ago }: Layout): Promise<FakeS3> {
  const s3 = await fakeS3(t);
  const begin = Date.now() - (ago + DAYS) * DAY;
  const old = function* () {
    for (let day = 0; day < DAYS; day++) {
      const date = stamp(begin + day * DAY);
      for (let index = 0; index < MANY / DAYS; index++) yield key(date, `${date}-10-00-${10 + (index % 50)}-${index}`);
    }
  };
  s3.putMany(old(), { modified: begin });
  for (let index = 0; index < 3; index++) s3.put(newKey(key, index), lyveLine(String(index)));
  return s3;
}

function newKey(key: Layout['key'], index: number): string {
  const now = new Date().toISOString().slice(0, 19).replace(/[T:]/g, '-');
  return key(now.slice(0, 10), `${now}-new${index}`);
}

/** The month folder of a day, and its name with the time at its end. */
function lyveKey(day: string, name: string): string {
  const [, time = '', rest = ''] = /^(.{19})-(.*)$/.exec(name) ?? [];
  return `${MONTHS[Number(day.slice(5, 7)) - 1]}-${day.slice(0, 4)}/S3-${rest}-${time}.gz`;
}

const LAYOUTS: readonly Layout[] = [
  { layout: 'flat', key: (_, name) => name, ...{ ago: 3, first: 3, later: 1 } },
  {
    layout: 'dated',
    key: (day, name) => `acct/eu/b/${day.replaceAll('-', '/')}/${name}`,
    ...{ ago: 5, first: 7, later: 1 },
  },
  { layout: 'lyve', key: lyveKey, ...{ ago: 70, first: 6, later: 4 } },
];

for (const one of LAYOUTS) {
  t.test(`a million old keys, layout ${one.layout}: what is looked at depends on what is new`, async (t) => {
    const s3 = await storeWith(t, one);
    const place = home(t, { sources: { 's3-audit': auditSection(s3, { layout: one.layout, interval: '20ms' }) } });
    const program = await place.start();
    const counted = async () => {
      const { text } = await get(`${program.url}/metrics`);
      return sumOf(text, 's3_log_objects_total', { result: 'done' });
    };
    const untilRead = (objects: number) =>
      eventually(`${objects} objects`, async () => {
        const found = await counted();
        if (found > objects) throw new Error(`found ${found} objects`);
        return found === objects;
      });
    await untilRead(3);
    const begin = s3.log.findIndex(({ kind }) => kind === 'get');
    t.ok(begin >= 0 && begin <= one.first, `${begin} listings before the first object`);
    // Looks are told apart by a listing that each of them begins with.
    const looks = () => {
      const first = s3.log.at(-1)!;
      return s3.log.filter((call) => call.prefix === first.prefix && call.startAfter === first.startAfter).length;
    };
    await eventually('some looks', () => looks() >= 7);
    const { list } = s3.calls;
    const before = looks();
    await eventually('some more looks', () => looks() >= before + 5);
    const perLook = (s3.calls.list - list) / (looks() - before);
    t.ok(perLook <= one.later + 0.5, `${perLook} listings a look`);
    t.equal(s3.calls.get, 3);
    s3.put(newKey(one.key, 3), lyveLine('late'));
    await untilRead(4);
    t.equal(s3.calls.get, 4);
    t.notOk(
      s3.log.some(({ continued }) => continued),
      'no listing has a second page',
    );
  });
}
