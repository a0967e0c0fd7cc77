import { type HashBlock, HashWindow } from '../lib/hash-window.ts';
import type { SavedEntries } from './source.ts';

/** How long an event is remembered, in milliseconds, and how many are. */
const SEEN_MS = 86_400_000;
const SEEN_LIMIT = 1_000_000;

/** What single deliveries are gathered in: as much as one page of the state holds. */
const GATHER = { ms: 600_000, hashes: 240 };

const KEY = 'seen ';

/** Tells repeated events apart by their ids, over restarts: those of the last 24 hours of deliveries, a million at most. */
export class SeenEvents {
  readonly #window: HashWindow;

  /** `gather`: deliveries are of few events each, as those that are pushed. */
  constructor({ gather = false } = {}) {
    this.#window = new HashWindow({ lengthMs: SEEN_MS, limit: SEEN_LIMIT, ...(gather && { gather: GATHER }) });
  }

  /** Whether an id came before. */
  isRepeated(id: string): boolean {
    return this.#window.see(id);
  }

  /** What came since the last time counts, as of this time, or it never came. */
  conclude(counted: boolean, now: number): void {
    if (counted) this.#window.keep(now);
    else this.#window.forget();
  }

  takeChanges(): SavedEntries {
    const { added, gone } = this.#window.take();
    return [
      ...added.map(({ number, time, hashes }) => [KEY + number, [time, hashes]] as const),
      ...gone.map((number) => [KEY + number, undefined] as const),
    ];
  }

  restore(entries: SavedEntries): void {
    this.#window.restore(
      entries
        .filter(([key]) => key.startsWith(KEY))
        .map(([key, value]): HashBlock => {
          // Written by `takeChanges`.
          const [time, hashes] = value as [number, Uint8Array];
          return { number: Number(key.slice(KEY.length)), time, hashes: Buffer.from(hashes) };
        }),
    );
  }
}
