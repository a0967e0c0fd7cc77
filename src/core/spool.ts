import { setTimeout as delay } from 'node:timers/promises';
import type { Event } from './event.ts';
import type { SpooledBlock } from './queue.ts';
import { eventLine } from './queue-line.ts';
import type { Block } from './state.ts';

/** A block is closed when it has so many bytes. */
const BLOCK_BYTES = 256 * 1024;
/** Bytes that may be on their way to the disk at once. */
const UNDER_WAY_BYTES = 8 * 1024 * 1024;
/** What a block takes besides its events, on disk and in memory: many may be small. */
const OVERHEAD_BYTES = 256;

export interface SpoolOptions {
  readonly source: string;
  /** More bytes than any reader may have waiting are not kept. */
  readonly limit: number;
  readonly newId: () => number;
  readonly put: (block: Block) => Promise<void>;
  readonly remove: (ids: readonly number[]) => void;
  readonly publish: (blocks: readonly SpooledBlock[], givenUp: GivenUp) => void;
  /** Resolves when there is room for what was published; null if there is some. */
  readonly room: () => Promise<void> | null;
}

/** Events that do not come into the queue: they were too many to be kept, or cannot be written down. */
export interface GivenUp {
  readonly tooMany: number;
  readonly unwritable: number;
}

/** What the disk did not take is tried again after so many milliseconds. */
const RETRY_MS = 1_000;

/** Events before they are in the queue: they may be many, so full blocks go to disk at once, where nobody looks for them yet. */
export class Spool {
  readonly #options: SpoolOptions;
  #blocks: SpooledBlock[] = [];
  #bytes = 0;
  #tooMany = 0;
  #unwritable = 0;
  #lines: string[] = [];
  #open = 0;
  readonly #underWay = new Map<number, { readonly bytes: number; readonly stored: Promise<void> }>();

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  add(event: Event): void {
    const line = eventLine(event);
    if (line === null) {
      this.#unwritable += 1;
      return;
    }
    this.#lines.push(line);
    this.#open += line.length;
    if (this.#open >= BLOCK_BYTES) this.#close(true);
  }

  /** Resolves when there is room for more, if there is none now. */
  room(): Promise<void> | null {
    let bytes = 0;
    for (const one of this.#underWay.values()) bytes += one.bytes;
    if (bytes < UNDER_WAY_BYTES) return this.#options.room();
    return Promise.race([...this.#underWay.values()].map(({ stored }) => stored));
  }

  /** Waits while there is no room, until the end at most. */
  async whenRoom(signal: AbortSignal): Promise<void> {
    for (let room = this.room(); room && !signal.aborted; room = this.room()) await orAborted(room, signal);
  }

  /** All that was added comes into the queue, with the next commit. */
  publish(): void {
    this.#close(false);
    const givenUp = { tooMany: this.#tooMany, unwritable: this.#unwritable };
    if (this.#blocks.length > 0 || this.#unwritable > 0) this.#options.publish(this.#blocks, givenUp);
    this.#reset();
  }

  /** Forgets all that was added. */
  drop(): void {
    const ids = this.#blocks.map(({ id }) => id);
    if (ids.length > 0) this.#options.remove(ids);
    this.#lines = [];
    this.#open = 0;
    this.#reset();
  }

  #reset(): void {
    this.#blocks = [];
    this.#bytes = 0;
    this.#tooMany = 0;
    this.#unwritable = 0;
  }

  /** What is not sent to disk now goes with the commit. */
  #close(now: boolean): void {
    const events = this.#lines.length;
    if (events === 0) return;
    const content = Buffer.from(this.#lines.join(''));
    const block: SpooledBlock = {
      id: this.#options.newId(),
      source: this.#options.source,
      events,
      bytes: content.length + OVERHEAD_BYTES,
      content,
    };
    this.#lines = [];
    this.#open = 0;
    this.#blocks.push(block);
    this.#bytes += block.bytes;
    while (this.#bytes > this.#options.limit && this.#blocks.length > 1) this.#skip();
    if (now) this.#store(block, content);
  }

  /** Readers would give the oldest up anyway. */
  #skip(): void {
    const [oldest] = this.#blocks.splice(0, 1);
    if (!oldest) return;
    this.#bytes -= oldest.bytes;
    this.#tooMany += oldest.events;
    this.#options.remove([oldest.id]);
  }

  #store(block: SpooledBlock, content: Buffer): void {
    const stored = this.#put(block, content).finally(() => this.#underWay.delete(block.id));
    this.#underWay.set(block.id, { bytes: block.bytes, stored });
  }

  async #put(block: SpooledBlock, content: Buffer): Promise<void> {
    for (;;) {
      try {
        await this.#options.put({ id: block.id, bytes: content });
        block.content = null;
        return;
      } catch {
        await delay(RETRY_MS, undefined, { ref: false });
      }
      // Once it is published it goes with the commit, which says what is wrong.
      if (!this.#blocks.includes(block)) return;
    }
  }
}

/** Resolves with a promise that never rejects, or at the end. */
function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    void promise.then(end);
  });
}
