/** The `Date` header tells whole seconds, and an answer takes its time: less than this is no difference. */
const SAME_MS = 2_000;

/**
 * The time as the service has it, which is what its traces and tokens go by: the own clock and how far the service was
 * ahead of it in its last answer.
 */
export class ServiceClock {
  readonly #ours: () => number;
  #aheadMs = 0;

  constructor(ours: () => number) {
    this.#ours = ours;
  }

  /** By how much the service is ahead, in milliseconds; 0 as long as it did not tell. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#ours() + this.#aheadMs;
  }

  /** An answer has come. An error without a time, or of a gateway that is in trouble, tells nothing. */
  note(date: string | undefined, status: number): void {
    const time = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(time)) {
      if (status >= 200 && status < 300) this.#aheadMs = 0;
      return;
    }
    if (status >= 500) return;
    const aheadMs = time - this.#ours();
    this.#aheadMs = Math.abs(aheadMs) < SAME_MS ? 0 : aheadMs;
  }
}
