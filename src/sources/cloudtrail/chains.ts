import type { SavedEntries, SourceReport } from '../../core/source.ts';
import type { TrailFolder } from './keys.ts';

/** A time without proof: what was delivered from `from` to `to`, in milliseconds since 1970. */
export interface Unproven {
  readonly chain: string;
  readonly from: number;
  readonly to: number;
}

export interface ChainsOptions {
  readonly report: Pick<SourceReport, 'error'>;
  readonly now: () => number;
  /** Whether changes are taken to be saved. */
  readonly follow: boolean;
}

type Span = readonly [from: number, to: number];

const CHAIN = 'chain ';
const GAPS = 'chain-gaps';
/** Digests whose times are this close touch. */
const TOUCH_MS = 1_000;
/** A digest may come so late before its hour is given up. */
const LATE_MS = 86_400_000;
/** A chain that is not continued for so long has ended: its account or region is used no more. */
const ENDED_MS = 7 * 86_400_000;
const MOST_GAPS = 20;
const MOST_CHAINS = 20_000;

/** The name of the digests that follow each other. */
export function chainName({ organization, account, region }: TrailFolder): string {
  return [...(organization === null ? [] : [organization]), account, region].join('/');
}

/** The digests of each account and region, which follow each other without a gap. */
export class Chains {
  readonly #options: ChainsOptions;
  /** Times that digests tell of, in their order; touching ones are one. */
  readonly #spans = new Map<string, readonly Span[]>();
  #gaps: readonly Unproven[] = [];
  #changed = new Map<string, unknown>();

  constructor(options: ChainsOptions) {
    this.#options = options;
  }

  add(chain: string, { start, end }: { readonly start: number; readonly end: number }): void {
    if (!this.#spans.has(chain) && this.#spans.size >= MOST_CHAINS) return;
    const merged: [number, number][] = [];
    const all = [...(this.#spans.get(chain) ?? []), [start, end] as const];
    for (const [from, to] of all.sort((a, b) => a[0] - b[0])) {
      const last = merged.at(-1);
      if (last && from <= last[1] + TOUCH_MS) last[1] = Math.max(last[1], to);
      else merged.push([from, to]);
    }
    this.#set(chain, merged);
    this.#close(chain);
  }

  /** A time whose proof was given up. */
  leaveOut({ chain, from, to }: Unproven): void {
    this.#gaps = [...this.#gaps, { chain, from, to }].slice(-MOST_GAPS);
    this.#change(
      GAPS,
      this.#gaps.map((gap) => [gap.chain, gap.from, gap.to]),
    );
  }

  /** Until when all is proven, and the chain of which this is true; `open` is the first time of each that is not settled. */
  provenUntil(open: ReadonlyMap<string, number>): { readonly chain: string; readonly until: number } | null {
    let least: { readonly chain: string; readonly until: number } | null = null;
    for (const [chain, spans] of this.#spans) {
      const until = Math.min(spans[0]?.[1] ?? 0, open.get(chain) ?? Number.POSITIVE_INFINITY);
      if (least === null || until < least.until) least = { chain, until };
    }
    return least;
  }

  gaps(): readonly string[] {
    return this.#gaps.map(
      ({ chain, from, to }) =>
        `not proven to be read: ${chain} from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
    );
  }

  /** Forgets chains that have ended, and gives up the digests that never came. */
  sweep(): void {
    const now = this.#options.now();
    for (const [chain, spans] of this.#spans) {
      if ((spans.at(-1)?.[1] ?? 0) < now - ENDED_MS) {
        this.#spans.delete(chain);
        this.#change(CHAIN + chain, undefined);
      } else this.#close(chain);
    }
  }

  takeChanges(): SavedEntries {
    const changes = [...this.#changed];
    this.#changed = new Map();
    return changes;
  }

  restore(entries: SavedEntries): void {
    for (const [key, value] of entries) {
      // Written by `#set` and `leaveOut`.
      if (key.startsWith(CHAIN)) this.#spans.set(key.slice(CHAIN.length), value as readonly Span[]);
      if (key === GAPS) {
        const gaps = value as readonly (readonly [string, number, number])[];
        this.#gaps = gaps.map(([chain, from, to]) => ({ chain, from, to }));
      }
    }
  }

  #close(chain: string): void {
    const [first, second, ...rest] = this.#spans.get(chain) ?? [];
    if (!first || !second || this.#options.now() - second[1] < LATE_MS) return;
    this.leaveOut({ chain, from: first[1], to: second[0] });
    this.#options.report.error(
      `no digest file of ${chain} tells of ${new Date(first[1]).toISOString()} to ${new Date(second[0]).toISOString()}`,
    );
    this.#set(chain, [second, ...rest]);
    this.#close(chain);
  }

  #set(chain: string, spans: readonly Span[]): void {
    this.#spans.set(chain, spans);
    this.#change(CHAIN + chain, spans);
  }

  #change(key: string, value: unknown): void {
    if (this.#options.follow) this.#changed.set(key, value);
  }
}
