import fc from 'fast-check';
import { NEWCOMER_MS } from '../../src/core/metrics/scrape.ts';
import type { Format } from './naive-engine.ts';

/** Those who register the metrics. */
export const OWNERS = ['one', 'two'] as const;
export type Owner = (typeof OWNERS)[number];
/** Those who come again and again. */
export const SCRAPERS = ['p', 'q', 'r'] as const;

const values = fc.constantFrom<string>(
  '',
  'x',
  'y',
  'q"',
  'b\\',
  'n\nl',
  '\ud800',
  '\ufffd',
  'é😀',
  '",b="',
  'other',
  '{}',
);
const amounts = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(0.25, 1e3, 1e9, 1e21));
const owners = fc.constantFrom(...OWNERS);
const ids = fc.constantFrom(...SCRAPERS);
const formats = fc.constantFrom<Format>('text', 'openmetrics');

/** What happens to counters and gauges, and to the clock. */
export const events = [
  fc.record({ do: fc.constant('count' as const), owner: owners, a: values, b: values, by: amounts }),
  fc.record({ do: fc.constant('bear' as const), owner: owners, a: values, b: values }),
  fc.record({ do: fc.constant('observe' as const), owner: owners, a: values, by: amounts }),
  fc.record({
    do: fc.constant('exemplify' as const),
    owner: owners,
    a: values,
    by: fc.constantFrom(0.5, 1, 3, 1e21),
    id: fc.constantFrom('', 'p-1', 'p"2\\', 'ü', 'n\nl', 'x'.repeat(126), 'x'.repeat(127)),
    at: fc.integer({ min: -2_000, max: 4_000 }),
  }),
  fc.record({ do: fc.constant('owe' as const), owner: owners, a: values, any: values }),
  fc.record({ do: fc.constant('set' as const), owner: owners, a: values, value: amounts }),
  fc.record({ do: fc.constant('step' as const), ms: fc.constantFrom(1, 400, 1_000, NEWCOMER_MS, -300, -2_000) }),
] as const;
/** A scrape that is sent at once, and one that a slow scraper takes its time for. */
export const scrapes = [
  fc.record({ do: fc.constant('scrape' as const), id: ids, format: formats, arrives: fc.boolean() }),
  fc.record({ do: fc.constant('hold' as const), id: ids, format: formats }),
  fc.record({ do: fc.constant('end' as const), arrives: fc.boolean() }),
  // Hours in which all scrapers come, after which what they were owed is forgotten.
  fc.record({ do: fc.constant('quiet' as const), hours: fc.constantFrom(1, 3) }),
] as const;
/** Saving what changed, and a start with what was saved last. */
export const restarts = [
  fc.record({ do: fc.constant('save' as const) }),
  fc.record({ do: fc.constant('crash' as const), owners: fc.subarray([...OWNERS], { minLength: 1 }) }),
] as const;
/** Every so many of a row of counters grow. */
export const crowd = fc.record({
  do: fc.constant('crowd' as const),
  every: fc.integer({ min: 1, max: 40 }),
  by: amounts,
});

type Value<T> = T extends fc.Arbitrary<infer V> ? V : never;
export type Step = Value<(typeof events)[number] | (typeof scrapes)[number] | (typeof restarts)[number] | typeof crowd>;
