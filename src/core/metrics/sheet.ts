import { type Lendable, pack } from './body.ts';
import { ByteWriter } from './bytes.ts';

/** An exposition in pieces, which stay as they are until they are given back. */
export interface Exposition {
  readonly pieces: readonly Buffer[];
  /** The same as gzip members, made as they are asked for, and away from the event loop. */
  packed(): AsyncIterable<Buffer>;
  giveBack(): void;
}

/** Bytes that are put together before the event loop gets its turn; what is shorter is all of one moment. */
const SLICE_LENGTH = 512 * 1024;
/** Shorter pieces are packed together. */
const PACKED_LENGTH = 64 * 1024;

/** Gives the event loop its turn. */
export function turn(): Promise<void> {
  return new Promise(setImmediate);
}

/** Where an exposition is put together. */
export class Sheet {
  readonly #pieces: { readonly bytes: Buffer; readonly lent: Lendable | null }[] = [];
  readonly #writer = new ByteWriter();
  #head = '';
  #put = 0;

  /** Title of what follows, for the case that anything does. */
  head(text: string): void {
    this.#head = text;
  }

  /** Where to write the next line. */
  writer(): ByteWriter {
    if (this.#head !== '') this.#writer.text(this.#head);
    this.#head = '';
    return this.#writer;
  }

  /** Adds the text of a chunk as it is now, or a piece of its own. */
  put(piece: Lendable | Buffer): void {
    this.writer();
    this.#flush();
    if (Buffer.isBuffer(piece)) this.#pieces.push({ bytes: piece, lent: null });
    else this.#pieces.push({ bytes: piece.bytes, lent: piece.lend() });
    this.#put += (Buffer.isBuffer(piece) ? piece : piece.bytes).length;
  }

  /** True from time to time: then it is time to let others work. */
  isSliceFull(): boolean {
    if (this.#writer.length + this.#put < SLICE_LENGTH) return false;
    this.#flush();
    this.#put = 0;
    return true;
  }

  end(): Exposition {
    this.#flush();
    const pieces = this.#pieces;
    return {
      pieces: pieces.map(({ bytes }) => bytes),
      packed: async function* () {
        let loose: Buffer[] = [];
        let length = 0;
        for (const { bytes, lent } of pieces) {
          const isKept = lent !== null && bytes.length >= PACKED_LENGTH;
          if (!isKept) length += loose.push(bytes) && bytes.length;
          if (length > 0 && (isKept || length >= PACKED_LENGTH)) {
            yield await pack(Buffer.concat(loose));
            loose = [];
            length = 0;
          }
          if (isKept) yield await lent.packed();
        }
        yield await pack(Buffer.concat(loose));
      },
      giveBack: () => {
        for (const { lent } of pieces) lent?.giveBack();
      },
    };
  }

  #flush(): void {
    if (this.#writer.length > 0) this.#pieces.push({ bytes: this.#writer.take(), lent: null });
  }
}
