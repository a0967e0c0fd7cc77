import { hash } from 'node:crypto';
import type { SavedEntries } from '../../core/source.ts';

/** Bytes of a key. */
const BYTES = 16;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PREFIX = 'seen ';

/** What was seen of one item. */
interface Seen {
  /** Until when it may be in a window, in milliseconds since 1970. */
  readonly stamp: number;
  /** The number of the last walk that it came up in, twice; one more if that was on a page, and not only at an edge. */
  mark: number;
}

/** Keys that were new at the time of one commit. */
interface Block {
  readonly number: number;
  readonly keys: readonly string[];
}

/**
 * The items that were counted and may come up again, as windows overlap and traces repeat across pages. An item is told
 * by its id (a UUID as it is, all else by 128 bits of its SHA-256), and kept until no later window can hold it.
 */
export class SeenTraces {
  readonly #seen = new Map<string, Seen>();
  readonly #blocks = new Map<number, Block>();
  #fresh: string[] = [];
  #gone: number[] = [];
  #nextBlock = 1;
  #walk = 0;

  get size(): number {
    return this.#seen.size;
  }

  /** How many walks there were. */
  get walks(): number {
    return this.#walk;
  }

  beginWalk(): void {
    this.#walk += 1;
  }

  /** Whether an item has not been on a page of this walk. */
  isNewInWalk(key: string): boolean {
    return (this.#seen.get(key)?.mark ?? 0) < 2 * this.#walk + 1;
  }

  /** Whether an item was counted before; from now on it was. `stamp`: until when it may be in a window. */
  see(key: string, stamp: number, onPage: boolean): boolean {
    const mark = 2 * this.#walk + (onPage ? 1 : 0);
    const known = this.#seen.get(key);
    if (known) {
      known.mark = Math.max(known.mark, mark);
      return true;
    }
    this.#seen.set(key, { stamp, mark });
    this.#fresh.push(key);
    return false;
  }

  /** Lets go of what lies before a time, in milliseconds since 1970, unless it came up in this walk or a later one. */
  forget(before: number, walk: number): void {
    for (const [key, { stamp, mark }] of this.#seen) {
      if (stamp < before && mark < 2 * walk) this.#seen.delete(key);
    }
    this.#fresh = this.#fresh.filter((key) => this.#seen.has(key));
    for (const [number, { keys }] of this.#blocks) {
      if (keys.some((key) => this.#seen.has(key))) continue;
      this.#blocks.delete(number);
      this.#gone.push(number);
    }
  }

  /** What changed since the last call. */
  takeChanges(): SavedEntries {
    const changes = this.#gone.map((number) => [PREFIX + number, undefined] as const);
    this.#gone = [];
    if (this.#fresh.length === 0) return changes;
    const block = { number: this.#nextBlock++, keys: this.#fresh };
    this.#fresh = [];
    this.#blocks.set(block.number, block);
    return [...changes, [PREFIX + block.number, this.#saved(block)]];
  }

  restore(entries: SavedEntries): void {
    for (const [name, value] of entries) {
      if (!name.startsWith(PREFIX)) continue;
      const number = Number(name.slice(PREFIX.length));
      // Written by `#saved`.
      const [bytes, stamps] = value as [Uint8Array, readonly number[]];
      const text = Buffer.from(bytes).toString('latin1');
      const keys = stamps.map((_, index) => text.slice(index * BYTES, (index + 1) * BYTES));
      for (const [index, key] of keys.entries()) this.#seen.set(key, { stamp: stamps[index]!, mark: 0 });
      this.#blocks.set(number, { number, keys });
      this.#nextBlock = Math.max(this.#nextBlock, number + 1);
    }
  }

  #saved({ keys }: Block): readonly [Buffer, readonly number[]] {
    return [Buffer.from(keys.join(''), 'latin1'), keys.map((key) => this.#seen.get(key)!.stamp)];
  }
}

/** What an item is told by; each has 16 characters below U+0100. */
export function seenKey(id: string): string {
  if (UUID.test(id)) return Buffer.from(id.replaceAll('-', ''), 'hex').toString('latin1');
  return hash('sha256', id, 'buffer').toString('latin1', 0, BYTES);
}
