import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ByteWriter, overwriteValue } from './bytes.ts';
import type { ChangedChunk } from './changed-rows.ts';
import { CHUNK_ROWS } from './pages.ts';
import type { SeriesTable } from './table.ts';

/** Level 6 is three times as slow for 6 % fewer bytes. */
const GZIP_LEVEL = 1;

const compress = promisify(gzip);

/** A piece of text as a gzip member; several in a row are one body that is packed. */
export function pack(bytes: Buffer): Promise<Buffer> {
  return compress(bytes, { level: GZIP_LEVEL });
}

/** Bytes that are sent more than once. Who sends them says how long they must stay as they are. */
export class Lendable {
  readonly bytes: Buffer;
  #borrowers = 0;
  #packed: Promise<Buffer> | null = null;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** The bytes stay as they are until `giveBack`. */
  lend(): this {
    this.#borrowers += 1;
    return this;
  }

  giveBack(): void {
    this.#borrowers -= 1;
  }

  /** The bytes packed; only while they are lent. Done once as long as they do not change. */
  packed(): Promise<Buffer> {
    this.#packed ??= pack(this.bytes);
    return this.#packed;
  }

  /** The same bytes to be written to: a copy while they are lent. */
  owned(): Lendable {
    if (this.#borrowers > 0) return new Lendable(Buffer.from(this.bytes));
    this.#packed = null;
    return this;
  }
}

/** Text of some series that is kept from one exposition to the next. */
export class Chunk {
  text = new Lendable(Buffer.alloc(0));
  /** Where each row's value is in the bytes, and how long it is: 0 for a row that is not shown. */
  readonly at = new Uint32Array(CHUNK_ROWS);
  readonly size = new Uint8Array(CHUNK_ROWS);
  /** Rows whose value may have changed since; `all` is cheaper than a long list. */
  stale: number[] | 'all' = [];
  /** Whether the bytes do not hold the right series. */
  wrong = true;
  /** The highest `born` of the rows shown. */
  newest = 0;
  /** The lowest `touched` of the rows shown. */
  oldest = Number.POSITIVE_INFINITY;
  /** The highest `touched` of the rows left out: a clock that is set back may bring them back. */
  hidden = Number.NEGATIVE_INFINITY;
}

/** How a series of a counter is written. */
export interface Line {
  /** What stands before its value. */
  before(writer: ByteWriter, row: number): void;
  /** What stands after it; `isBase` if it is shown at what it was before. */
  after(writer: ByteWriter, row: number, isBase: boolean): void;
}

/**
 * The text of all series of one counter in one format, kept in chunks of bytes. A value that changed is written into
 * its place, and only where it has become longer, or another series was born, a chunk is made anew.
 */
export class Body {
  /** Whether the lines show exemplars: then a chunk is made anew for each that changed. */
  readonly hasExemplars: boolean;
  readonly #table: SeriesTable;
  readonly #line: Line;
  readonly #writer: ByteWriter;
  readonly #chunks: Chunk[] = [];

  /** The writer is only used within a call. */
  constructor(table: SeriesTable, line: Line, writer: ByteWriter, hasExemplars = false) {
    this.hasExemplars = hasExemplars;
    this.#table = table;
    this.#line = line;
    this.#writer = writer;
  }

  /** Number of chunks: those of all rows that are or were in use. */
  get length(): number {
    return Math.ceil(this.#table.length / CHUNK_ROWS);
  }

  /** Notes rows whose values changed at this time. */
  noteChanged(changed: readonly ChangedChunk[], time: number): void {
    for (const { index, rows } of changed) {
      const chunk = this.#chunks[index];
      if (!chunk || chunk.wrong) continue;
      if (time < chunk.oldest) chunk.oldest = time;
      if (chunk.stale === 'all') continue;
      if (!rows || chunk.stale.length + rows.length > CHUNK_ROWS) chunk.stale = 'all';
      else for (const row of rows) chunk.stale.push(row);
    }
  }

  /** Notes rows that hold another series than before, or none, or show another exemplar: one row of a page is enough. */
  noteMoved(rows: readonly number[]): void {
    for (const row of rows) {
      const chunk = this.#chunks[(row / CHUNK_ROWS) | 0];
      if (chunk) chunk.wrong = true;
    }
  }

  /** A chunk that shows how things are now, without series that were touched for the last time before `idleBefore`. */
  chunk(index: number, idleBefore: number): Chunk {
    const chunk = (this.#chunks[index] ??= new Chunk());
    if (chunk.oldest < idleBefore || chunk.hidden >= idleBefore) chunk.wrong = true;
    if (!chunk.wrong && !this.#refresh(chunk, index, idleBefore)) chunk.wrong = true;
    if (chunk.wrong) this.#rebuild(chunk, index, idleBefore);
    return chunk;
  }

  /** Whether there may be series in a chunk of which one who knows all before `known` is shown their base. */
  hasBases(index: number, known: number): boolean {
    return Math.max(this.#chunks[index]?.newest ?? 0, this.#table.returns.newest(index)) >= known;
  }

  /** The text of a chunk in which these are shown at their base. */
  withBases(index: number, idleBefore: number, known: number): Buffer {
    const table = this.#table;
    for (let row = index * CHUNK_ROWS; row < this.#end(index); row++) {
      if (!table.isShown(row) || table.leavesOut(row, idleBefore)) continue;
      const base = table.base(row, known);
      this.#line.before(this.#writer, row);
      this.#writer.value(base ? base.values[0]! : table.totals.values[row]!);
      this.#line.after(this.#writer, row, base !== undefined);
    }
    return this.#writer.take();
  }

  /** Writes changed values into their places; false if one does not fit, or has none. */
  #refresh(chunk: Chunk, index: number, idleBefore: number): boolean {
    if (chunk.stale !== 'all' && chunk.stale.length === 0) return true;
    const { values } = this.#table.totals;
    const first = index * CHUNK_ROWS;
    chunk.text = chunk.text.owned();
    const { bytes } = chunk.text;
    const { at, size } = chunk;
    if (chunk.stale === 'all') {
      for (let row = first; row < this.#end(index); row++) {
        const length = size[row - first]!;
        if (length > 0) {
          if (!overwriteValue(bytes, at[row - first]!, length, values[row]!)) return false;
        } else if (this.#table.isShown(row) && !this.#table.leavesOut(row, idleBefore)) {
          return false;
        }
      }
    } else {
      for (const row of chunk.stale) {
        if (!overwriteValue(bytes, at[row - first]!, size[row - first]!, values[row]!)) return false;
      }
    }
    chunk.stale = [];
    return true;
  }

  #rebuild(chunk: Chunk, index: number, idleBefore: number): void {
    const { born, touched, totals } = this.#table;
    const writer = this.#writer;
    chunk.size.fill(0);
    chunk.newest = 0;
    chunk.oldest = Number.POSITIVE_INFINITY;
    chunk.hidden = Number.NEGATIVE_INFINITY;
    const first = index * CHUNK_ROWS;
    for (let row = first; row < this.#end(index); row++) {
      if (!this.#table.isShown(row)) continue;
      if (this.#table.leavesOut(row, idleBefore)) {
        chunk.hidden = Math.max(chunk.hidden, touched[row]!);
        continue;
      }
      this.#line.before(writer, row);
      chunk.at[row - first] = writer.length;
      chunk.size[row - first] = writer.value(totals.values[row]!);
      this.#line.after(writer, row, false);
      if (born[row]! > chunk.newest) chunk.newest = born[row]!;
      if (touched[row]! < chunk.oldest) chunk.oldest = touched[row]!;
    }
    chunk.text = new Lendable(writer.take());
    chunk.stale = [];
    chunk.wrong = false;
  }

  #end(index: number): number {
    return Math.min((index + 1) * CHUNK_ROWS, this.#table.length);
  }
}
