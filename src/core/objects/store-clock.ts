/** A difference of the clocks that changes by no more than this is the same one: the time is told in whole seconds. */
const SAME_MS = 2_000;

/** The time as a store has it: that of its objects can only be compared with this. */
export class StoreClock {
  readonly #ours: () => number;
  #aheadMs: number | null = null;

  constructor(ours: () => number) {
    this.#ours = ours;
  }

  /** Whether the store was asked. */
  get isKnown(): boolean {
    return this.#aheadMs !== null;
  }

  /** By how much it is ahead of ours, in milliseconds; 0 as long as it did not tell. */
  get aheadMs(): number {
    return this.#aheadMs ?? 0;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#ours() + this.aheadMs;
  }

  /** The store has told its time, or that it does not. */
  note(time: number | null): void {
    const aheadMs = time === null ? this.aheadMs : time - this.#ours();
    if (this.#aheadMs === null || Math.abs(aheadMs - this.#aheadMs) > SAME_MS) this.#aheadMs = aheadMs;
  }
}
