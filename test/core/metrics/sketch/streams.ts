import { type TopOptions, TopValues } from '../../../../src/core/metrics/sketch/top.ts';
import type { Random } from '../../../support/random.ts';

/** Length of a slice in milliseconds, and a window of four. */
export const SLICE = 100;
export const SHAPE = { windowMs: 4 * SLICE, slices: 4 };

export interface Add {
  readonly value: string;
  readonly time: number;
  readonly now: number;
}

/** Adds as of a log: some values far more frequent than others, the clock going on, some events late or ahead. */
export function adds(random: Random, count: number, distinct: number): Add[] {
  let now = 10_000;
  return Array.from({ length: count }, () => {
    if (random.chance(0.05)) now += random.within(0, SLICE);
    if (random.chance(0.001)) now += random.within(0, 6 * SLICE);
    const time = random.chance(0.1) ? now - random.within(-SLICE, 5 * SLICE) : now;
    return { value: `v${Math.floor(distinct ** random.next())}`, time, now };
  });
}

/** What a window of unlimited memory would show. */
export function oracle(adds: readonly Add[], now: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { value, time, now: then } of adds) {
    const slice = Math.floor(Math.min(time, then) / SLICE);
    const wasTooOld = slice <= Math.floor(then / SLICE) - 4;
    if (!wasTooOld && slice > Math.floor(now / SLICE) - 4) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

export function filled(options: TopOptions, adds: readonly Add[]): TopValues {
  const top = new TopValues(options);
  for (const { value, time, now } of adds) top.add(value, time, now);
  return top;
}

/** The first that is said wrongly of values of which the real numbers are known, or null. */
export function mistake(top: TopValues, truth: ReadonlyMap<string, number>, now: number): string | null {
  const listed = top.top(Number.POSITIVE_INFINITY, now);
  const floor = top.floor(now);
  for (const { value, count, error } of listed) {
    const real = truth.get(value) ?? 0;
    if (!(real <= count && real >= count - error)) return `${value}: ${real}, found ${count} - ${error}`;
    if (error > floor) return `${value}: an error of ${error} above the floor of ${floor}`;
  }
  const found = new Set(listed.map(({ value }) => value));
  for (const [value, real] of truth) {
    if (real > floor && !found.has(value)) return `${value} is missing: ${real}, above the floor of ${floor}`;
  }
  return null;
}
