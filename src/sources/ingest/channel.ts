import type { Batch } from '../../core/source.ts';
import type { IngestItem, Verdict } from './item.ts';

/** What one request holds. */
export interface Load {
  /** Bytes of the body as it came, and unpacked. */
  readonly bytes: number;
  readonly size: number;
  /** Reads the body; called once, when it is its turn. All items share the verdict. */
  items(verdict: Verdict): readonly IngestItem[];
}

export interface ChannelOptions {
  /** Most bytes that wait. */
  readonly mostBytes: number;
  /** Brings all that counts by now to disk. */
  readonly commit: () => Promise<void>;
  readonly signal: AbortSignal;
  /** How long a request waits for its answer, in milliseconds. */
  readonly waitMs?: number;
}

interface Waiting {
  readonly load: Load;
  readonly end: (verdict: Verdict | null) => void;
  isOver: boolean;
}

/** Most requests that wait. */
const MOST_WAITING = 1_000;
/** A sender gives up at some time; while nothing can be saved, it does better to hear of that before. */
const WAIT_MS = 20_000;

/** Requests on their way into the pipeline: each becomes a batch, and is answered once that is counted and saved. */
export class Channel {
  readonly #options: ChannelOptions;
  #waiting: Waiting[] = [];
  /** Requests, and their bytes, that have no answer yet. */
  #count = 0;
  #bytes = 0;
  #wake: () => void = () => {};

  constructor(options: ChannelOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Resolves when all of it counts and is saved, or all of it is refused; null if that cannot be now. */
  push(load: Load): Promise<Verdict | null> {
    const { mostBytes, signal, waitMs = WAIT_MS } = this.#options;
    if (signal.aborted || this.#count >= MOST_WAITING || (this.#count > 0 && this.#bytes + load.size > mostBytes))
      return Promise.resolve(null);
    this.#count += 1;
    this.#bytes += load.size;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        waiting.end(null);
      }, waitMs);
      const end = (verdict: Verdict | null) => {
        if (waiting.isOver) return;
        waiting.isOver = true;
        clearTimeout(timer);
        this.#count -= 1;
        this.#bytes -= load.size;
        resolve(verdict);
      };
      const waiting: Waiting = { load, end, isOver: false };
      this.#waiting.push(waiting);
      this.#wake();
    });
  }

  /** A batch for each request; a first, empty one tells that there may be some. */
  async *batches(): AsyncGenerator<Batch<IngestItem>> {
    const { signal } = this.#options;
    yield { items: [], position: null, bytes: 0 };
    while (!signal.aborted) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) await this.#arrival();
      else yield* this.#batch(waiting);
    }
  }

  async *#batch({ load, end }: Waiting): AsyncGenerator<Batch<IngestItem>> {
    const verdict: Verdict = { good: 0, bad: 0 };
    let isTaken = false;
    try {
      yield { items: load.items(verdict), position: null, bytes: load.bytes };
      isTaken = true;
    } finally {
      if (!isTaken) end(null);
    }
    // What is refused is refused, saved or not.
    if (verdict.good === 0 && verdict.bad > 0) end(verdict);
    // The next one need not wait: those that come while a commit is under way share the one after it.
    else
      void this.#options.commit().then(
        () => end(verdict),
        () => end(null),
      );
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #end(): void {
    for (const { end } of this.#waiting.splice(0)) end(null);
    this.#wake();
  }
}
