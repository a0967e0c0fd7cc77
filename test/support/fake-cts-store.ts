/** A trace that the fake service holds. */
export interface HeldTrace {
  readonly id: string;
  /** The order in which traces came in. */
  readonly sequence: number;
  readonly time: number;
  readonly recordTime: number;
  /** Before this moment of the service's clock nobody sees it. */
  readonly visibleAt: number;
  readonly trace: Readonly<Record<string, unknown>>;
  /** As JSON, made once it is asked for. */
  json: string | null;
  oldJson: string | null;
}

export interface Holding {
  /** Milliseconds since 1970; `time` and `record_time` of the trace, if left out. */
  readonly time?: number;
  readonly recordTime?: number;
  /** At once, if left out. */
  readonly visibleAt?: number;
}

export interface PageQuestion {
  /** Both exclusive. */
  readonly from: number;
  readonly to: number;
  readonly next: string | null;
  readonly limit: number;
}

export interface PageRules {
  readonly now: number;
  /** `stamp`: the other traces of the edge's millisecond are skipped. */
  readonly nextBy: 'position' | 'stamp';
  readonly markerOnLast: boolean;
  /** Users as text, statuses instead of ratings: as the older versions have it. */
  readonly isOld: boolean;
}

/** Traces in the order of one of their stamps. */
export class TraceStore {
  readonly #ids = new Map<string, HeldTrace>();
  #held: HeldTrace[] = [];
  #by: 'record_time' | 'time' = 'record_time';
  #count = 0;

  get size(): number {
    return this.#held.length;
  }

  /** Which stamp `from` and `to` are compared with. */
  get by(): 'record_time' | 'time' {
    return this.#by;
  }

  set by(stamp: 'record_time' | 'time') {
    this.#by = stamp;
    this.#held.sort((a, b) => this.#compare(a, b));
  }

  add(trace: Readonly<Record<string, unknown>>, { time, recordTime, visibleAt }: Holding = {}): void {
    const sequence = this.#count++;
    const held: HeldTrace = {
      id: String(trace.trace_id ?? `#${sequence}`),
      sequence,
      time: time ?? Number(trace.time),
      recordTime: recordTime ?? Number(trace.record_time ?? trace.time),
      visibleAt: visibleAt ?? Number.NEGATIVE_INFINITY,
      trace,
      json: null,
      oldJson: null,
    };
    if (!this.#ids.has(held.id)) this.#ids.set(held.id, held);
    const last = this.#held.at(-1);
    if (!last || this.#compare(last, held) < 0) this.#held.push(held);
    else this.#held.splice(this.#indexOf(held), 0, held);
  }

  /** Makes all JSON now, for who measures. */
  prepare(): void {
    for (const held of this.#held) jsonOf(held, false);
  }

  /** The body of a page, newest first; null if nobody knows the marker. */
  page({ from, to, next, limit }: PageQuestion, rules: PageRules): string | null {
    const edge = next === null ? null : this.#ids.get(next);
    if (edge === undefined) return null;
    let at = this.#firstWith((held) => this.#stampOf(held) >= to);
    if (edge) {
      const stamp = this.#stampOf(edge);
      const before =
        rules.nextBy === 'position' ? this.#indexOf(edge) : this.#firstWith((held) => this.#stampOf(held) >= stamp);
      at = Math.min(at, before);
    }
    const found: HeldTrace[] = [];
    for (at -= 1; at >= 0 && found.length <= limit; at--) {
      const held = this.#held[at]!;
      if (this.#stampOf(held) <= from) break;
      if (held.visibleAt <= rules.now) found.push(held);
    }
    const isLast = found.length <= limit;
    if (!isLast) found.pop();
    const marker = isLast && !rules.markerOnLast ? null : (found.at(-1)?.id ?? next);
    const meta = JSON.stringify({ count: found.length, marker });
    return `{"meta_data":${meta},"traces":[${found.map((held) => jsonOf(held, rules.isOld)).join(',')}]}`;
  }

  #stampOf(held: HeldTrace): number {
    return this.#by === 'time' ? held.time : held.recordTime;
  }

  #compare(a: HeldTrace, b: HeldTrace): number {
    return this.#stampOf(a) - this.#stampOf(b) || a.sequence - b.sequence;
  }

  #indexOf(held: HeldTrace): number {
    return this.#firstWith((one) => this.#compare(one, held) >= 0);
  }

  /** The first place for which it is true, and then stays so. */
  #firstWith(isTrue: (held: HeldTrace) => boolean): number {
    let [low, high] = [0, this.#held.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isTrue(this.#held[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function jsonOf(held: HeldTrace, isOld: boolean): string {
  if (!isOld) return (held.json ??= JSON.stringify(held.trace));
  return (held.oldJson ??= JSON.stringify(oldForm(held.trace)));
}

function oldForm({ user, code, trace_rating: rating, ...rest }: Readonly<Record<string, unknown>>): unknown {
  return {
    ...rest,
    ...(user !== undefined && { user: typeof user === 'string' ? user : JSON.stringify(user) }),
    ...(code !== undefined && { code: code === null ? null : String(code) }),
    ...(rating !== undefined && { trace_status: rating }),
  };
}
