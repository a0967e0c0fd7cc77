import { hash } from 'node:crypto';

/** Bytes of a hash. */
const BYTES = 16;
const WORDS = BYTES / 4;
/** The window may be so many times as long before what is too old is dropped. */
const SLACK = 1.1;

/** The hashes of one delivery, one after the other. */
export interface HashBlock {
  /** Numbers go up. */
  readonly number: number;
  /** When it was delivered, in milliseconds since 1970. */
  readonly time: number;
  readonly hashes: Buffer;
}

export interface WindowOptions {
  /** What is older is forgotten, in milliseconds. */
  readonly lengthMs: number;
  /**
   * Most hashes that are kept; the oldest go first. Of one delivery no more than these are remembered, so that up to twice
   * as many are in memory.
   */
  readonly limit: number;
  /** Where deliveries are small: those of so many milliseconds go into one block, up to so many hashes. */
  readonly gather?: { readonly ms: number; readonly hashes: number };
}

/**
 * Tells whether something was seen lately, by a hash of 16 bytes (the beginning of a SHA-256). What is seen counts from
 * `keep` on; until then it can be taken back as a whole (`forget`). Hashes lie in one table of numbers: looking up
 * needs no objects that stay, and a million of them take some 50 MB.
 */
export class HashWindow {
  readonly #options: WindowOptions;
  #blocks: HashBlock[] = [];
  /** Words of hashes by place; the number of the block in `#owners`, 0 for an empty place. */
  #table = new Uint32Array(WORDS * 1_024);
  #owners = new Uint32Array(1_024);
  #used = 0;
  #next = 1;
  /** Seen since the last `keep`, one after the other, with room behind them. */
  #fresh: Buffer = Buffer.alloc(0);
  #freshCount = 0;
  #gone: number[] = [];
  #new: HashBlock[] = [];
  /** When the last block was begun, if it was since the start. */
  #begun = Number.NEGATIVE_INFINITY;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Whether a text was seen before; from now on it was. */
  see(text: string): boolean {
    const digest = hash('sha256', text, 'buffer').subarray(0, BYTES);
    if (this.#freshCount >= this.#options.limit) return this.#owners[this.#placeOf(wordsOf(digest))] !== 0;
    if (!this.#add(digest, this.#next)) return true;
    const at = this.#freshCount++ * BYTES;
    if (at === this.#fresh.length) this.#fresh = Buffer.concat([this.#fresh], Math.max(64 * BYTES, 2 * at));
    digest.copy(this.#fresh, at);
    return false;
  }

  /** All that was seen since the last time counts as delivered at this time. */
  keep(time: number): void {
    if (this.#freshCount > 0) {
      const hashes = Buffer.from(this.#fresh.subarray(0, this.#freshCount * BYTES));
      this.#freshCount = 0;
      this.#fresh = Buffer.alloc(0);
      if (!this.#append(hashes, time)) this.#begin(hashes, time);
    }
    this.#expire(time);
  }

  /** Nothing of what was seen since the last time was seen. */
  forget(): void {
    if (this.#freshCount === 0) return;
    this.#freshCount = 0;
    this.#fresh = Buffer.alloc(0);
    this.#rebuild();
  }

  /** What changed since it was last taken: blocks that are new, and numbers of those that are gone. */
  take(): { readonly added: readonly HashBlock[]; readonly gone: readonly number[] } {
    const taken = { added: this.#new, gone: this.#gone };
    this.#new = [];
    this.#gone = [];
    return taken;
  }

  /** Takes saved blocks back. */
  restore(blocks: Iterable<HashBlock>): void {
    this.#blocks = [...blocks].sort((a, b) => a.number - b.number);
    this.#next = (this.#blocks.at(-1)?.number ?? 0) + 1;
    this.#rebuild();
  }

  #begin(hashes: Buffer, time: number): void {
    const block = { number: this.#next++, time, hashes };
    this.#begun = time;
    this.#blocks.push(block);
    this.#new.push(block);
  }

  /** Adds to the last block if that is wanted, which is then as old as what was added last. */
  #append(hashes: Buffer, time: number): boolean {
    const { gather } = this.#options;
    const last = this.#blocks.at(-1);
    if (!gather || !last || !(time >= last.time && time < this.#begun + gather.ms)) return false;
    if (last.hashes.length + hashes.length > gather.hashes * BYTES) return false;
    const block = { number: last.number, time, hashes: Buffer.concat([last.hashes, hashes]) };
    this.#blocks[this.#blocks.length - 1] = block;
    if (this.#new.at(-1)?.number === block.number) this.#new.pop();
    this.#new.push(block);
    return true;
  }

  /** Rarely, as it takes a new table: what goes then is some hours', or an eighth of all. */
  #expire(now: number): void {
    const { lengthMs, limit } = this.#options;
    const oldest = this.#blocks[0]?.time ?? now;
    if (this.#used <= limit && oldest > now - lengthMs * SLACK) return;
    const most = this.#used > limit ? limit * (7 / 8) : limit;
    let count = this.#used;
    let end = 0;
    // The last delivery stays, however large it is.
    for (const { time, hashes } of this.#blocks.slice(0, -1)) {
      if (time > now - lengthMs && count <= most) break;
      count -= hashes.length / BYTES;
      end += 1;
    }
    const gone = new Set(this.#blocks.splice(0, end).map(({ number }) => number));
    this.#gone.push(...gone);
    this.#new = this.#new.filter(({ number }) => !gone.has(number));
    this.#rebuild();
  }

  #rebuild(): void {
    const count = this.#blocks.reduce((sum, { hashes }) => sum + hashes.length / BYTES, 0);
    this.#clear(count);
    for (const { number, hashes } of this.#blocks) {
      for (let at = 0; at < hashes.length; at += BYTES) this.#add(hashes.subarray(at, at + BYTES), number);
    }
  }

  #clear(count: number): void {
    let size = 1_024;
    while (size < 2 * (count + 1)) size *= 2;
    this.#table = new Uint32Array(WORDS * size);
    this.#owners = new Uint32Array(size);
    this.#used = 0;
  }

  /** False if it is there already. */
  #add(hash: Buffer, owner: number): boolean {
    if ((this.#used + 1) * 2 > this.#owners.length) this.#grow();
    const words = wordsOf(hash);
    const place = this.#placeOf(words);
    if (this.#owners[place] !== 0) return false;
    this.#owners[place] = owner;
    this.#table.set(words, place * WORDS);
    this.#used += 1;
    return true;
  }

  /** Where a hash is, or where it would be. */
  #placeOf(words: readonly number[]): number {
    const mask = this.#owners.length - 1;
    let place = words[0]! & mask;
    while (this.#owners[place] !== 0 && !this.#is(place, words)) place = (place + 1) & mask;
    return place;
  }

  #is(place: number, words: readonly number[]): boolean {
    for (let i = 0; i < WORDS; i++) if (this.#table[place * WORDS + i] !== words[i]) return false;
    return true;
  }

  #grow(): void {
    const [table, owners] = [this.#table, this.#owners];
    this.#table = new Uint32Array(2 * table.length);
    this.#owners = new Uint32Array(2 * owners.length);
    const mask = this.#owners.length - 1;
    for (let from = 0; from < owners.length; from++) {
      if (owners[from] === 0) continue;
      let place = table[from * WORDS]! & mask;
      while (this.#owners[place] !== 0) place = (place + 1) & mask;
      this.#owners[place] = owners[from]!;
      this.#table.set(table.subarray(from * WORDS, (from + 1) * WORDS), place * WORDS);
    }
  }
}

function wordsOf(hash: Buffer): readonly number[] {
  return [hash.readUInt32LE(0), hash.readUInt32LE(4), hash.readUInt32LE(8), hash.readUInt32LE(12)];
}
