/** Runs of one head (an action, or `start command`) whose INFO line may still be followed by an ERROR line. */
export interface SavedRuns {
  /** Hashes of the arguments, oldest first. */
  readonly hashes: readonly number[];
  /** For each: 0 used up, 1 open, 2 open and held. */
  readonly states: readonly number[];
}

/** INFO lines of a head that are remembered. */
export const RUNS_KEPT = 1_000;

const USED = 0;
const OPEN = 1;
const HELD = 2;

/**
 * Pairs the line that announces a run with the line that tells its failure: both are one run. An ERROR line uses up the
 * newest INFO line with the same arguments among the last thousand; what finds none is a run of its own.
 */
export class Runs {
  #hashes: number[] = [];
  #states: number[] = [];
  /** Where the next line goes, once the ring is full. */
  #next = 0;
  changed = false;

  /** An INFO line came. */
  announce(hash: number, held: boolean): void {
    this.#hashes[this.#next] = hash;
    this.#states[this.#next] = held ? HELD : OPEN;
    this.#next = (this.#next + 1) % RUNS_KEPT;
    this.changed = true;
  }

  /** An ERROR line came: whether the run it belongs to was held, or null if it belongs to none. */
  fail(hash: number): { readonly held: boolean } | null {
    const count = this.#hashes.length;
    for (let back = 1; back <= count; back++) {
      const at = (this.#next - back + RUNS_KEPT) % RUNS_KEPT;
      const state = this.#states[at];
      if (state === undefined || state === USED || this.#hashes[at] !== hash) continue;
      this.#states[at] = USED;
      this.changed = true;
      return { held: state === HELD };
    }
    return null;
  }

  save(): SavedRuns {
    const order = this.#hashes.length < RUNS_KEPT ? 0 : this.#next;
    return {
      hashes: [...this.#hashes.slice(order), ...this.#hashes.slice(0, order)],
      states: [...this.#states.slice(order), ...this.#states.slice(0, order)],
    };
  }

  restore({ hashes, states }: SavedRuns): void {
    this.#hashes = hashes.slice(-RUNS_KEPT);
    this.#states = states.slice(-RUNS_KEPT);
    this.#next = this.#hashes.length % RUNS_KEPT;
  }
}

/**
 * 53 bits of a run's arguments; those that are not told are all alike. Lengths go in as well, so that `a b` and `a`, `b`
 * differ.
 */
export function hashArguments(values: readonly string[] | null, raw: string | null): number {
  const hash = { high: 0xdeadbeef, low: 0x41c6ce57 };
  if (values) for (const value of values) mix(hash, `${value.length}:${value}`);
  else if (raw !== null) mix(hash, raw);
  else return 0;
  return (hash.high & 0x1fffff) * 2 ** 32 + (hash.low >>> 0);
}

function mix(hash: { high: number; low: number }, text: string): void {
  let { high, low } = hash;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  hash.high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  hash.low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
}
