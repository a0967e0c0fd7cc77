import type { Cell, SavedCells } from './cells.ts';
import { QueueReader } from './queue-reader.ts';
import { type GivenUp, Spool } from './spool.ts';
import type { Block, BlockStore } from './state.ts';

/** A block of events in the queue: events of one source, a line of JSON each, that lie in the state under `id`. */
export interface QueuedBlock {
  /** Its place in the queue. */
  readonly seq: number;
  readonly id: number;
  /** `TYPE` or `TYPE/NAME`. */
  readonly source: string;
  readonly events: number;
  readonly bytes: number;
  /** Readers that still need it. */
  needed: number;
}

/** A block that is not yet in the queue; `content` is there as long as it is not yet in the state. */
export interface SpooledBlock extends Pick<QueuedBlock, 'id' | 'source' | 'events' | 'bytes'> {
  content: Buffer | null;
}

export interface ReaderOptions {
  /** `influx` or `influx/NAME`. */
  readonly name: string;
  readonly wants: (source: string) => boolean;
  /** Most bytes that may wait for it. */
  readonly limit: number;
  /** Events that were given up: for want of room, or as they cannot be written down. */
  readonly onDropped: (events: number, reason: 'queue_full' | 'too_large') => void;
  /** A block is damaged or missing: so many events of it cannot be given. */
  readonly onLost: (events: number) => void;
}

/**
 * What is saved of a reader: the block that it reads, events of it that are done with, and the block that comes next.
 * Blocks behind `gapAfter` and before `gapBefore` were given up while events before them were being delivered.
 */
export type SavedReader = readonly [seq: number, done: number, next: number, gapAfter: number, gapBefore: number];

/** Bytes of events that may wait in memory for a commit. */
const MEMORY_BYTES = 16 * 1024 * 1024;

/**
 * Events on their way to writers, on disk: one queue, and one reader for each writer. What is put in belongs to the next
 * commit, together with the totals that it adds to; readers see it once that is done.
 */
export class Queue {
  readonly #store: BlockStore;
  readonly #readers: QueueReader[] = [];
  readonly #spools: Spool[] = [];
  #saved: ReadonlyMap<string, SavedReader> = new Map();
  #blocks: QueuedBlock[] = [];
  #nextSeq = 1;
  #nextId = 1;
  /** Put in since the last commit began, and those of the commit that is under way. */
  #fresh: QueuedBlock[] = [];
  #committing: QueuedBlock[] = [];
  #contents: SpooledBlock[] = [];
  /** Needed no more: first from the index, and once that is committed, from the state. */
  #unneeded: QueuedBlock[] = [];
  #removing: QueuedBlock[] = [];
  #cells: Cell[] = [];
  /** Bytes that are in memory until the next commit is done: put in since the last one began, and those of that one. */
  #freshBytes = 0;
  #committingBytes = 0;
  #room: { readonly made: Promise<void>; readonly make: () => void } | null = null;
  #commitSoon: () => void = () => {};

  constructor(store: BlockStore) {
    this.#store = store;
  }

  /** Takes back what was saved; before readers are made. */
  restore(saved: SavedCells): void {
    // Written by `take`; the version of the state's format vouches for the shape.
    this.#saved = new Map(saved.under('reader').map(([[name], value]) => [String(name), value as SavedReader]));
    this.#blocks = saved
      .under('queue')
      .map(([[seq], value]): QueuedBlock => {
        const [id, source, events, bytes] = value as [number, string, number, number];
        return { seq: Number(seq), id, source, events, bytes, needed: 0 };
      })
      .sort((a, b) => a.seq - b.seq);
    this.#nextSeq =
      Math.max(0, ...[...this.#saved.values()].map(([, , next]) => next), this.#blocks.at(-1)?.seq ?? 0) + 1;
    this.#nextId = this.#blocks.reduce((most, { id }) => Math.max(most, id), 0) + 1;
  }

  /** The reader of a writer; one that is new begins with what comes from now on. All are made before anything is put in. */
  reader(options: ReaderOptions): QueueReader {
    const saved = this.#saved.get(options.name) ?? [0, 0, this.#nextSeq, 0, 0];
    const [first, done, next, gapAfter, gapBefore] = saved;
    const waiting = this.#blocks.filter(
      ({ seq, source }) =>
        (seq === first || seq >= next) && !(seq > gapAfter && seq < gapBefore) && options.wants(source),
    );
    for (const block of waiting) block.needed += 1;
    const reader = new QueueReader(
      options,
      { waiting, done: waiting[0]?.seq === first ? done : 0, gap: [gapAfter, gapBefore] },
      {
        content: (block) => this.#store.block(block.id),
        passed: (block) => this.#passed(block),
        end: () => (this.#committing[0] ?? this.#fresh[0])?.seq ?? this.#nextSeq,
      },
    );
    this.#readers.push(reader);
    return reader;
  }

  /** Ends the making of readers: lets go of what none of them needs, and of what never came into the queue. */
  async begin(): Promise<void> {
    const names = new Set(this.#readers.map(({ name }) => name));
    for (const name of this.#saved.keys()) if (!names.has(name)) this.#cells.push([['reader', name], undefined]);
    for (const block of this.#blocks) if (block.needed === 0) this.#unneeded.push(block);
    const known = new Set(this.#blocks.map(({ id }) => id));
    const orphans = this.#store.blockIds().filter((id) => !known.has(id));
    this.#nextId = Math.max(this.#nextId, ...orphans.slice(-1).map((id) => id + 1));
    this.#blocks = [];
    // What stays behind is in nobody's way.
    if (orphans.length > 0) await this.#store.removeBlocks(orphans).catch(() => {});
  }

  /** A way into the queue for the events of a source; null if nobody wants them. */
  spool(source: string): Spool | null {
    const wanting = this.#readers.filter(({ wants }) => wants(source));
    if (wanting.length === 0) return null;
    const spool = new Spool({
      source,
      limit: Math.max(...wanting.map(({ limit }) => limit)),
      newId: () => this.#nextId++,
      put: (block) => this.#store.putBlock(block),
      remove: (ids) => void this.#store.removeBlocks(ids).catch(() => {}),
      publish: (blocks, given) => this.#publish(source, blocks, given),
      room: () => this.#roomInMemory(),
    });
    return spool;
  }

  /** Events that are counted at once rather than aside: what is in the spool belongs to every commit. */
  live(source: string): Spool | null {
    const spool = this.spool(source);
    if (spool) this.#spools.push(spool);
    return spool;
  }

  /** Told when so much waits in memory that it should be committed now. */
  onFull(commitSoon: () => void): void {
    this.#commitSoon = commitSoon;
  }

  /** What has to be committed. */
  take(): { readonly cells: readonly Cell[]; readonly blocks: readonly Block[] } {
    for (const spool of this.#spools) spool.publish();
    const cells = this.#cells.splice(0);
    for (const { seq, id, source, events, bytes } of this.#fresh)
      cells.push([
        ['queue', seq],
        [id, source, events, bytes],
      ]);
    for (const { seq } of this.#unneeded) cells.push([['queue', seq], undefined]);
    for (const reader of this.#readers) {
      const moved = reader.takeMoved();
      if (moved) cells.push([['reader', reader.name], moved]);
    }
    // One by one: more may have come than a call can have arguments.
    for (const block of this.#fresh.splice(0)) this.#committing.push(block);
    for (const block of this.#unneeded.splice(0)) this.#removing.push(block);
    this.#committingBytes += this.#freshBytes;
    this.#freshBytes = 0;
    const blocks = this.#contents.splice(0).flatMap(({ id, content }) => (content ? [{ id, bytes: content }] : []));
    return { cells, blocks };
  }

  /** All that was taken is on disk. */
  committed(): void {
    for (const block of this.#committing.splice(0)) {
      for (const reader of this.#readers) reader.arrived(block);
      if (block.needed === 0) this.#unneeded.push(block);
    }
    this.#committingBytes = 0;
    this.#room?.make();
    this.#room = null;
    const ids = this.#removing.splice(0).map(({ id }) => id);
    // What stays behind is removed at the next start.
    if (ids.length > 0) void this.#store.removeBlocks(ids).catch(() => {});
  }

  #publish(source: string, blocks: readonly SpooledBlock[], givenUp: GivenUp): void {
    for (const reader of this.#readers) if (reader.wants(source)) reader.skipped(givenUp);
    for (const block of blocks) {
      const { id, events, bytes } = block;
      this.#fresh.push({ seq: this.#nextSeq++, id, source, events, bytes, needed: 0 });
      this.#contents.push(block);
      if (block.content) this.#freshBytes += bytes;
    }
  }

  /** Resolves once a commit has made room, if there is none now: while nothing can be saved, nothing more is read. */
  #roomInMemory(): Promise<void> | null {
    if (this.#freshBytes + this.#committingBytes < MEMORY_BYTES) return null;
    if (!this.#room) {
      let make = () => {};
      const made = new Promise<void>((resolve) => (make = resolve));
      this.#room = { made, make };
      this.#commitSoon();
    }
    return this.#room.made;
  }

  #passed(block: QueuedBlock): void {
    block.needed -= 1;
    if (block.needed === 0) this.#unneeded.push(block);
  }
}
