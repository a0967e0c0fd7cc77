import { formatValue } from './bytes.ts';
import type { MetricDef } from './define.ts';
import { escapeValue } from './labels.ts';
import { detached } from './symbols.ts';

/** An event that a value can be traced to. */
export interface Exemplar {
  /** Value of the label that its metric names; what is not printable ASCII, or too long, is not kept. */
  readonly id: string;
  /** What the event added, or was. */
  readonly value: number;
  /** When it happened, in milliseconds since 1970. */
  readonly time: number;
}

/** Most that are kept of one metric, and once more of what comes aside of one source. */
export const MOST_EXEMPLARS = 5_000;
/** How much newer one has to be than the one whose place it takes, in milliseconds. */
export const APART_MS = 1_000;
/** Characters that its label may have, name and value together: OpenMetrics asks for that. */
export const LABEL_LENGTH = 128;

export interface ExemplarsOptions {
  /** Name of the label. */
  readonly label: string;
  /** Numbers of one series that may each have one: 1, or of a histogram one per bucket. */
  readonly width: number;
  readonly most?: number;
}

/**
 * The newest events of one metric, by series, and of a histogram by bucket. As nobody comes more often than each second,
 * one that is hardly newer does not take the place of another: of many events most then cost next to nothing. As none is
 * ever older than the one before it, servers take them all.
 *
 * There is a fixed number of places. With more series than that, some share theirs, each bucket with the same one of
 * others: so what is slow and seldom does not give way to what is fast and frequent. None is saved.
 */
export class Exemplars {
  readonly label: string;
  readonly #width: number;
  /** By place. */
  readonly #kept: (Kept | undefined)[];
  /** Rows of which the text has changed; of a histogram it is always made anew. */
  readonly #changed = new Set<number>();

  constructor({ label, width, most = MOST_EXEMPLARS }: ExemplarsOptions) {
    this.label = label;
    this.#width = width;
    this.#kept = new Array<undefined>(Math.max(1, Math.floor(most / width)) * width).fill(undefined);
  }

  /** Keeps an event that was just counted in a row and bucket, unless its id cannot be shown, or it is hardly newer. */
  note(row: number, bucket: number, { id, value, time }: Exemplar): void {
    const owner = row * this.#width + bucket;
    const place = owner % this.#kept.length;
    const known = this.#kept[place];
    // What is no time is neither.
    if (!(known ? time >= known.time + APART_MS : time > 0)) return;
    if (id.length + this.label.length > LABEL_LENGTH || !PRINTABLE.test(id)) return;
    this.#kept[place] = { id: detached(id), value, time, owner };
    if (this.#width > 1) return;
    this.#changed.add(row);
    if (known) this.#changed.add(known.owner);
  }

  /** The newest event of a bucket; undefined if there is none. */
  of(row: number, bucket: number): Exemplar | undefined {
    const owner = row * this.#width + bucket;
    const kept = this.#kept[owner % this.#kept.length];
    return kept?.owner === owner ? kept : undefined;
  }

  /** What stands behind the value of a bucket in OpenMetrics; empty if there is nothing. */
  text(row: number, bucket: number): string {
    const exemplar = this.of(row, bucket);
    if (!exemplar) return '';
    const { id, value, time } = exemplar;
    return ` # {${this.label}="${escapeValue(id)}"} ${formatValue(value)} ${(time / 1000).toFixed(3)}`;
  }

  /** Takes the rows of a counter that show another event than at the last call, or none any more. */
  takeChanged(): readonly number[] {
    if (this.#changed.size === 0) return NONE;
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** Forgets all. */
  clear(): void {
    this.#kept.fill(undefined);
    this.#changed.clear();
  }
}

/** None yet, of a metric that has them. */
export function exemplarsOf({ exemplar = '', buckets }: MetricDef): Exemplars {
  return new Exemplars({ label: exemplar, width: buckets ? buckets.length + 1 : 1 });
}

/** Whose it is, as rows share places. */
interface Kept extends Exemplar {
  readonly owner: number;
}

const PRINTABLE = /^[ -~]+$/;
const NONE: readonly number[] = [];
