import { grown } from './grown.ts';
import { CHUNK_ROWS } from './pages.ts';

/** Rows of a chunk that are kept one by one: of more it is cheaper to look at all. */
const FEW = CHUNK_ROWS / 8;

/** Rows of one chunk that changed. */
export interface ChangedChunk {
  readonly index: number;
  /** How many changed. */
  readonly count: number;
  /** Which ones, as long as nothing more is noted; null if there are too many of them. */
  readonly rows: Uint32Array | null;
}

/** Rows that changed since they were last taken, by chunk. */
export class ChangedRows {
  /** By chunk. */
  #counts = new Uint32Array(1);
  /** `FEW` places for each chunk. */
  #rows = new Uint32Array(FEW);
  #chunks: number[] = [];

  /** Notes a row; only once until it is taken. */
  note(row: number): void {
    const chunk = (row / CHUNK_ROWS) | 0;
    if (chunk >= this.#counts.length) this.#reserve(chunk + 1);
    const count = this.#counts[chunk]!;
    if (count === 0) this.#chunks.push(chunk);
    if (count < FEW) this.#rows[chunk * FEW + count] = row;
    this.#counts[chunk] = count + 1;
  }

  get any(): boolean {
    return this.#chunks.length > 0;
  }

  /** Those with changes, in the order of their first one. */
  take(): readonly ChangedChunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks.map((index) => {
      const count = this.#counts[index]!;
      this.#counts[index] = 0;
      return { index, count, rows: count > FEW ? null : this.#rows.subarray(index * FEW, index * FEW + count) };
    });
  }

  #reserve(chunks: number): void {
    this.#counts = grown(this.#counts, chunks);
    this.#rows = grown(this.#rows, this.#counts.length * FEW);
  }
}
