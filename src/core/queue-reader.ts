import type { Event } from './event.ts';
import type { QueuedBlock, ReaderOptions, SavedReader } from './queue.ts';
import { blockLines, lineEvent } from './queue-line.ts';
import type { GivenUp } from './spool.ts';

/** What the reader asks of its queue. */
export interface QueueSide {
  /** The content of a block, or null if it is damaged or missing. */
  content(block: QueuedBlock): Buffer | null;
  /** The reader needs this block no more. */
  passed(block: QueuedBlock): void;
  /** The place behind the last block that readers were told of. */
  end(): number;
}

/** How much is wanted at once. */
export interface BatchSize {
  readonly events: number;
  readonly bytes: number;
}

/** The place of one writer in the queue. */
export class QueueReader {
  readonly name: string;
  readonly limit: number;
  readonly wants: (source: string) => boolean;
  /** What waits, taken events that are not settled included. */
  events = 0;
  bytes = 0;
  readonly #options: ReaderOptions;
  readonly #queue: QueueSide;
  /** The first may be done with in part. */
  readonly #waiting: QueuedBlock[];
  #done: number;
  /** Blocks at the beginning, of which events were taken and are not settled. */
  #held = 0;
  /** The block before those that were given up behind what was held, and the one after them. */
  #gap: readonly [after: number, before: number];
  #isMoved = false;
  #wake: () => void = () => {};

  constructor(
    options: ReaderOptions,
    { waiting, done, gap }: { waiting: QueuedBlock[]; done: number; gap: readonly [after: number, before: number] },
    queue: QueueSide,
  ) {
    this.name = options.name;
    this.limit = options.limit;
    this.wants = options.wants;
    this.#options = options;
    this.#queue = queue;
    this.#waiting = waiting;
    this.#done = done;
    this.#gap = gap;
    // One that is new has to be known, or it would be new again.
    this.#isMoved = true;
    for (const block of waiting) this.#count(block, 1);
    this.events -= this.#done;
  }

  /** A block is in the queue. */
  arrived(block: QueuedBlock): void {
    if (!this.wants(block.source)) return;
    block.needed += 1;
    this.#waiting.push(block);
    this.#count(block, 1);
    this.#isMoved = true;
    this.#makeRoom();
    this.#wake();
  }

  /** Events that were given up before they came into the queue. */
  skipped({ tooMany, unwritable }: GivenUp): void {
    if (tooMany > 0) this.#options.onDropped(tooMany, 'queue_full');
    if (unwritable > 0) this.#options.onDropped(unwritable, 'too_large');
  }

  /** Resolves when something waits, or the signal is aborted. */
  async some(signal: AbortSignal): Promise<void> {
    while (this.events === 0 && !signal.aborted) await this.more(signal);
  }

  /** Resolves when something more arrives, or the signal is aborted. */
  more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** The first events that wait, at most so many, and at least one if any waits. They go on waiting until they are settled. */
  take({ events: most, bytes: mostBytes }: BatchSize): readonly Event[] {
    const taken: Event[] = [];
    let bytes = 0;
    this.#held = 0;
    for (let index = 0; index < this.#waiting.length; ) {
      const block = this.#waiting[index]!;
      const content = this.#queue.content(block);
      if (!content) {
        // Behind others it is found again, when they are done with.
        if (taken.length > 0) return taken;
        this.#lose();
        continue;
      }
      this.#held = index + 1;
      const lines = blockLines(content);
      for (let at = index === 0 ? this.#done : 0; at < lines.length; at++) {
        const line = lines[at]!;
        if (taken.length >= most || (taken.length > 0 && bytes + line.length > mostBytes)) return taken;
        taken.push(lineEvent(line));
        bytes += line.length;
      }
      index++;
    }
    return taken;
  }

  /** The first so many of the taken events need not be given again. */
  settle(events: number): void {
    this.events -= events;
    this.#done += events;
    this.#isMoved = true;
    let end = 0;
    for (let block = this.#waiting[0]; block && this.#done >= block.events; block = this.#waiting[++end]) {
      this.#done -= block.events;
      this.bytes -= block.bytes;
      this.#queue.passed(block);
    }
    this.#waiting.splice(0, end);
    this.#held = 0;
    this.#makeRoom();
  }

  /** Where it is now, if that changed since it was last asked. */
  takeMoved(): SavedReader | null {
    if (!this.#isMoved) return null;
    this.#isMoved = false;
    const [first, second] = this.#waiting;
    return [first?.seq ?? 0, this.#done, second?.seq ?? this.#queue.end(), ...this.#gap];
  }

  #makeRoom(): void {
    const held = this.#held;
    const waiting = this.#waiting;
    let bytes = this.bytes;
    let end = held;
    // The last one stays: a limit below the size of one block would let nothing through.
    for (; bytes > this.limit && end < waiting.length - 1; end++) bytes -= waiting[end]!.bytes;
    if (end === held) return;
    const last = waiting[held - 1];
    if (last) this.#gap = [last.seq, waiting[end]!.seq];
    this.#options.onDropped(this.#giveUp(held, end - held), 'queue_full');
  }

  #lose(): void {
    this.#options.onLost(this.#giveUp(0, 1));
  }

  /** Blocks that will not be given; tells how many events that are. */
  #giveUp(first: number, count: number): number {
    let events = 0;
    for (const block of this.#waiting.splice(first, count)) {
      this.#count(block, -1);
      events += block.events;
      this.#queue.passed(block);
    }
    if (first === 0) {
      // These were not waiting any more.
      events -= this.#done;
      this.events += this.#done;
      this.#done = 0;
    }
    this.#isMoved = true;
    return events;
  }

  #count({ events, bytes }: QueuedBlock, by: 1 | -1): void {
    this.events += by * events;
    this.bytes += by * bytes;
  }
}
