/** What is saved of a `Hold`. */
export interface SavedHold {
  readonly until: number;
  readonly starts: number;
  readonly caughtUp: number | null;
  readonly invocation: string | null;
}

/**
 * Keeps out what reaction runs again at its start.
 *
 * Where lines have a time, runs before *start + hold* are held. Where they have none, runs of a filter are held from a
 * start until its next match, or until `hold` after the reader has caught up with the log.
 */
export class Hold {
  readonly #holdMs: number;
  #until = Number.NEGATIVE_INFINITY;
  /** Starts seen in lines without a time. */
  #starts = 0;
  /** When the reader caught up after the last of those, in milliseconds since 1970. */
  #caughtUp: number | null = null;
  #invocation: string | null = null;
  changed = false;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** reaction started; `time` is that of the line. */
  start(time: number | null): void {
    if (this.#holdMs === 0) return;
    if (time === null) {
      this.#starts += 1;
      this.#caughtUp = null;
    } else {
      this.#until = Math.max(this.#until, time + this.#holdMs);
    }
    this.changed = true;
  }

  /** A line of this invocation of the unit came: whether it is the first of a new one. */
  invocation(id: string): boolean {
    if (id === this.#invocation) return false;
    const known = this.#invocation !== null;
    this.#invocation = id;
    this.changed = true;
    return known;
  }

  /** The reader is at the end of the log. */
  caughtUp(now: number): void {
    if (this.#caughtUp !== null || this.#starts === 0) return;
    this.#caughtUp = now;
    this.changed = true;
  }

  /** A mark for a filter that matched now: its runs are no longer those of a start before. */
  get mark(): number {
    return this.#starts;
  }

  /** Whether a run at this time is held; `mark` is that of the last match of its filter. */
  holds(time: number | null, mark: number): boolean {
    if (time !== null && time < this.#until) return true;
    if (mark >= this.#starts) return false;
    return time === null || this.#caughtUp === null || time < this.#caughtUp + this.#holdMs;
  }

  save(): SavedHold {
    this.changed = false;
    return { until: this.#until, starts: this.#starts, caughtUp: this.#caughtUp, invocation: this.#invocation };
  }

  restore(saved: SavedHold): void {
    this.#until = saved.until;
    this.#starts = saved.starts;
    this.#caughtUp = saved.caughtUp;
    this.#invocation = saved.invocation;
  }
}
