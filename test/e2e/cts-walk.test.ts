import t from 'tap';
import {
  type CtsFault,
  ctsError,
  type FakeCts,
  type FakeCtsOptions,
  startFakeCts,
  strange,
} from '../support/fake-cts.ts';
import { ctsTrace, NOON } from '../support/fake-cts-client.ts';
import { parseExposition } from '../support/strict-exposition.ts';
import { home } from '../support/trailgauge.ts';

t.setTimeout(120_000);

const HOUR = 3_600_000;
const AFTER = NOON + HOUR;

/** Traces of the hour after noon, some in the same millisecond. */
function fill(fake: FakeCts, count: number): void {
  for (let number = 0; number < count; number++) fake.add(ctsTrace(number, NOON + 1_000 * (number - (number % 3))));
}

/** What goes wrong with pages after the first, in turn; null is nothing. */
function later(fake: FakeCts, faults: readonly (CtsFault | null)[]): void {
  const left = [...faults];
  fake.chance = (_, query) => (query?.next ? (left.shift() ?? null) : null);
}

interface Case {
  readonly options?: FakeCtsOptions;
  readonly arrange: (fake: FakeCts) => void;
  readonly events: number;
  /** Failed requests. */
  readonly errors: number;
}

const CASES: Readonly<Record<string, Case>> = {
  failing: {
    arrange: (fake) => {
      fill(fake, 450);
      later(fake, [ctsError(500, 'CTS.0005'), { kind: 'reset' }, null, { kind: 'cut' }]);
    },
    events: 450,
    errors: 3,
  },
  'failing-by-stamp': {
    options: { nextBy: 'stamp', markerOnLast: true },
    arrange: (fake) => {
      fill(fake, 450);
      later(fake, [{ kind: 'cut' }, ctsError(502, 'APIGW.0201')]);
    },
    events: 450,
    errors: 2,
  },
  revoked: {
    arrange: (fake) => {
      fill(fake, 450);
      let asked = 0;
      fake.chance = (kind) => {
        if (kind === 'list_traces' && ++asked < 4) fake.revokeTokens();
        return null;
      };
    },
    events: 450,
    errors: 0,
  },
  'empty-with-marker': {
    arrange: (fake) => {
      fill(fake, 400);
      const marker = ctsTrace(0, 0).trace_id;
      later(fake, [null, strange({ traces: [], meta_data: { count: 0, marker } })]);
    },
    options: { markerOnLast: true },
    events: 400,
    errors: 0,
  },
  'empty-without-marker': {
    arrange: (fake) => {
      fill(fake, 400);
      later(fake, [null, strange({ traces: null, meta_data: { count: 0, marker: null } })]);
    },
    options: { markerOnLast: true },
    events: 400,
    errors: 0,
  },
  // The ends of a request are exclusive, those of a range are not both.
  ends: {
    arrange: (fake) => {
      for (const [number, time] of [NOON - 1, NOON, AFTER - 1, AFTER].entries()) fake.add(ctsTrace(number, time));
    },
    events: 2,
    errors: 0,
  },
  'ends-by-time': {
    options: { filterBy: 'time' },
    arrange: (fake) => {
      const times = [NOON - 1, NOON, AFTER - 1, AFTER];
      for (const [number, time] of times.entries()) fake.add({ ...ctsTrace(number, time), record_time: time + 500 });
    },
    events: 2,
    errors: 0,
  },
};

t.test('walks in which something goes wrong, and the ends of a window', async (t) => {
  const sources: Record<string, unknown> = {};
  const fakes = new Map<string, FakeCts>();
  for (const [name, { options, arrange }] of Object.entries(CASES)) {
    const fake = await startFakeCts(t, { now: () => AFTER + 2 * HOUR, ...options });
    arrange(fake);
    fakes.set(name, fake);
    sources[`cts/${name}`] = { endpoint: fake.url, region: 'eu-de', auth: fake.auth };
  }
  const range = ['--since', '2026-01-01T12:00:00Z', '--until', '2026-01-01T13:00:00Z'];
  const { code, stdout, stderr } = await home(t, { sources }).run('once', ...range);
  t.equal(code, 0, stderr);
  const exposition = parseExposition(stdout);
  for (const [name, { events, errors }] of Object.entries(CASES)) {
    const total = (metric: string) => exposition.value(`trailgauge_source_${metric}_total`, { source: name });
    t.same([total('events'), total('errors')], [events, errors], name);
    const asked = fakes.get(name)?.queries ?? [];
    t.ok(
      asked.every(({ from, to }) => from >= NOON - 1 && to <= AFTER),
      `${name}: nothing outside is asked for`,
    );
  }
  t.equal(fakes.get('revoked')?.count('auth_token'), 3, 'a new token for each that was revoked');
});
