import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type CtsFault, ctsError, startFakeCts, strange, tooMany } from '../support/fake-cts.ts';
import { startCollecting } from '../support/growing.ts';
import { get } from '../support/http.ts';
import { seeded, seedOf } from '../support/random.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 6;
const TRACES = 2_000;
const OPERATIONS = ['createServer', 'deleteServer', 'login', 'loginfailed'];
const RATINGS = ['normal', 'normal', 'normal', 'warning', 'incident'];
const seed = seedOf(20_261_122);

t.setTimeout(120_000);

for (const nextBy of ['position', 'stamp'] as const) {
  t.test(
    `killed ${KILLS} times while traces come late and the service fails, pages by ${nextBy} (seed ${seed})`,
    async (t) => {
      const random = seeded(seed);
      // Tokens that die while the program runs.
      const facts = { tokenLifeMs: 5_000 };
      const fake = await startFakeCts(t, { nextBy, markerOnLast: random.chance(0.5), facts });
      const section = {
        endpoint: fake.url,
        auth: nextBy === 'position' ? fake.auth : fake.keyAuth,
        region: 'eu-de',
        interval: '100ms',
        timeout: '1s',
        labels: ['operation'],
      };
      const place = home(t, { sources: { cts: section } });
      const truth = new Map<string, number>();
      let made = 0;

      function make(): void {
        // Many share a millisecond, as many as a page holds at times.
        const stamp = Date.now();
        for (let count = random.chance(0.05) ? 150 : random.within(1, 40); count > 0 && made < TRACES; count--) {
          const operation = OPERATIONS[random.within(0, OPERATIONS.length - 1)] ?? '';
          const rating = RATINGS[random.within(0, RATINGS.length - 1)] ?? '';
          const number = made++;
          const trace = {
            trace_id: `${number.toString(16).padStart(8, '0')}-e709-11f0-9c00-02f1a7c40000`,
            trace_name: operation,
            service_type: operation.startsWith('login') ? 'IAM' : 'ECS',
            resource_type: 'server',
            trace_type: 'ApiCall',
            trace_rating: rating,
            code: random.chance(0.5) ? 200 : '200',
            user: random.chance(0.5) ? { name: 'mara.winter' } : '{"name":"jon.keller"}',
            time: stamp - random.within(0, 50),
            record_time: stamp,
          };
          fake.add(trace, { visibleAt: random.chance(0.3) ? stamp + random.within(0, 3_000) : stamp });
          const key = `${operation} ${rating}`;
          truth.set(key, (truth.get(key) ?? 0) + 1);
        }
      }

      const faults: readonly (() => CtsFault)[] = [
        () => tooMany(1),
        () => tooMany(),
        () => ctsError(500, 'CTS.0005'),
        () => ctsError(401, 'APIGW.0301'),
        () => strange('<html>busy</html>', 'text/html'),
        () => strange({ error_code: 'CTS.0005' }),
        () => ({ kind: 'reset' }),
        () => ({ kind: 'cut' }),
        () => ({ kind: 'hang', inBody: random.chance(0.5) }),
      ];
      fake.chance = (kind) =>
        kind === 'list_traces' && random.chance(0.04)
          ? (faults[random.within(0, faults.length - 1)]?.() ?? null)
          : null;

      let program: Program = await place.start();
      const collecting = startCollecting(() => (program.isListening() ? program.url : null));
      const making = (async () => {
        while (made < TRACES) {
          make();
          if (random.chance(0.05)) fake.revokeTokens();
          await sleep(random.within(10, 150));
        }
      })();
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(random.within(200, 1_500));
        await program.kill();
        program = await place.start({ until: random.chance(0.5) ? 'spawned' : 'ready' });
      }
      await making;
      fake.chance = null;
      await program.ready();

      const source = { source: 'cts' };
      const why = () => `all ${TRACES} traces to be counted:\n${program.log().slice(-2_000)}`;
      const last = await eventually(
        why,
        async () => {
          const exposition = await collecting.collect();
          return exposition?.value('trailgauge_source_events_total', source) === TRACES ? exposition : null;
        },
        40_000,
      );
      for (const [key, count] of truth) {
        const [operation, rating] = key.split(' ') as [string, string];
        const service = operation.startsWith('login') ? 'IAM' : 'ECS';
        const labels = { service, resource_type: 'server', trace_type: 'ApiCall', rating, operation };
        t.equal(last.value('cts_traces_total', labels), count, key);
      }
      // Nothing more is counted in the polls that follow.
      const polls = fake.queries.length;
      await eventually('further polls', async () => fake.queries.length > polls + 20);
      const later = await collecting.collect();
      t.equal(later?.value('trailgauge_source_events_total', source), TRACES);
      t.equal(later?.value('cts_window_gap_seconds_total'), 0);
      t.ok(later?.value('trailgauge_source_up', source) === 1);
      const { text } = await get(`${program.url}/api/v1/status`);
      for (const secret of [fake.facts.password, ...[...fake.facts.keys].flat()]) {
        t.notOk(program.log().includes(secret) || text.includes(secret), 'no secret is told');
      }
      await collecting.end();
      t.ok(collecting.answers > KILLS);
      t.comment(`${fake.queries.length} pages, ${collecting.answers} answers`);
    },
  );
}
