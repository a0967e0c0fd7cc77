import type { StoredObject } from '../../lib/objects/store.ts';

/** An object whose last fetch failed, through no fault of its own. */
interface Failing {
  /** As it was listed then. */
  readonly etag: string;
  /** Those that failed earlier have the lower number. */
  readonly order: number;
  /** Unpacked bytes that came at best. */
  readonly reached: number;
}

/** Objects of which it is known that they failed; further ones are only tried again in their turn. */
const MOST = 10_000;

/** Objects that could not be had: they are tried again after all others, which they else would hold up. */
export class FailingObjects {
  readonly #objects = new Map<string, Failing>();
  #count = 0;

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  /** Unpacked bytes of it that came at best. */
  reached(key: string): number {
    return this.#objects.get(key)?.reached ?? 0;
  }

  /** Whether it failed before, and was listed as the same then. */
  isKnown({ key, etag }: StoredObject): boolean {
    return this.#objects.get(key)?.etag === etag;
  }

  add({ key, etag }: StoredObject, reached: number): void {
    const before = this.reached(key);
    this.#objects.delete(key);
    if (this.#objects.size >= MOST) return;
    this.#objects.set(key, { etag, order: this.#count++, reached: Math.max(reached, before) });
  }

  delete(key: string): void {
    this.#objects.delete(key);
  }

  /** Those that wait the longest first. */
  compare(a: StoredObject, b: StoredObject): number {
    return this.#orderOf(a) - this.#orderOf(b);
  }

  #orderOf({ key }: StoredObject): number {
    return this.#objects.get(key)?.order ?? 0;
  }
}
