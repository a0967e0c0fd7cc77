import { createHash } from 'node:crypto';
import { compareKeys } from '../../src/lib/objects/key-order.ts';

/** An object of the fake store. */
export interface FakeObject {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** More headers of its answer, such as `content-encoding`. */
  readonly headers: Readonly<Record<string, string>>;
  body(): Buffer;
}

export interface Listing {
  readonly prefix: string;
  readonly delimiter: string;
  readonly startAfter: string;
  /** The key, or the folder, that the page before ended with. */
  readonly after: string | null;
  readonly maxKeys: number;
}

export interface Listed {
  readonly keys: readonly string[];
  readonly folders: readonly string[];
  /** The last key or folder of the page, if more follow. */
  readonly next: string | null;
}

/** A bucket that lists a page of a million keys in no time. */
export class FakeBucket {
  readonly #objects = new Map<string, (key: string) => FakeObject>();
  #keys: string[] = [];
  #sorted = true;

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): FakeObject | undefined {
    return this.#objects.get(key)?.(key);
  }

  put(key: string, object: FakeObject): void {
    this.#add(key, () => object);
  }

  /** Objects that are made when they are asked for. */
  putMany(keys: Iterable<string>, make: (key: string) => FakeObject): void {
    for (const key of keys) this.#add(key, make);
  }

  remove(key: string): boolean {
    const place = this.#objects.delete(key) ? this.#placeOf(key) : -1;
    if (place >= 0) this.#keys.splice(place, 1);
    return place >= 0;
  }

  list({ prefix, delimiter, startAfter, after, maxKeys }: Listing): Listed {
    const keys: string[] = [];
    const folders: string[] = [];
    let last: string | null = null;
    let at = Math.max(this.#placeOf(prefix), startAfter === '' ? 0 : this.#behind(startAfter, ''));
    if (after !== null) at = Math.max(at, this.#behind(after, delimiter));
    while (at < this.#keys.length) {
      const key = this.#keys[at]!;
      if (!key.startsWith(prefix)) break;
      if (keys.length + folders.length >= maxKeys) return { keys, folders, next: last };
      const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      last = cut < 0 ? key : key.slice(0, cut + delimiter.length);
      (cut < 0 ? keys : folders).push(last);
      at = cut < 0 ? at + 1 : this.#behind(last, delimiter);
    }
    return { keys, folders, next: null };
  }

  #add(key: string, make: (key: string) => FakeObject): void {
    if (!this.#objects.has(key)) {
      const last = this.#keys.at(-1);
      if (last !== undefined && compareKeys(key, last) < 0) this.#sorted = false;
      this.#keys.push(key);
    }
    this.#objects.set(key, make);
  }

  /** Where the first key stands that is not below this one. */
  #placeOf(key: string): number {
    return this.#first((other) => compareKeys(other, key) >= 0);
  }

  /** Where the first key stands that is behind this one and, if it is a folder, not in it. */
  #behind(key: string, delimiter: string): number {
    const isFolder = delimiter !== '' && key.endsWith(delimiter);
    return this.#first((other) => compareKeys(other, key) > 0 && !(isFolder && other.startsWith(key)));
  }

  #first(isThere: (key: string) => boolean): number {
    this.#sort();
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isThere(this.#keys[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#sorted = true;
    // Without a function of its own, sorting is much quicker, and right for most keys.
    const plain = !this.#keys.some((key) => /[\ud800-\uffff]/.test(key));
    this.#keys = plain ? this.#keys.toSorted() : this.#keys.toSorted(compareKeys);
  }
}

/** The ETag that S3 gives to what was put in one part. */
export function md5(body: Buffer): string {
  return createHash('md5').update(body).digest('hex');
}
