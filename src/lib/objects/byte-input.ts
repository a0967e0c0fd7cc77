/** Bytes that come in chunks, of which what is not used can be given back. */
export class ByteInput {
  readonly #chunks: AsyncIterator<Buffer>;
  #unread: Buffer | null = null;

  constructor(chunks: AsyncIterator<Buffer>) {
    this.#chunks = chunks;
  }

  /** The next bytes, at least one; null at the end. */
  async next(): Promise<Buffer | null> {
    const unread = this.#unread;
    this.#unread = null;
    if (unread) return unread;
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return null;
      if (value.length > 0) return value;
    }
  }

  /** Gives back the end of what came last. */
  unread(bytes: Buffer): void {
    this.#unread = bytes.length > 0 ? bytes : null;
  }

  /** The next bytes, at least so many, if there are. */
  async atLeast(count: number): Promise<Buffer> {
    let bytes: Buffer = Buffer.alloc(0);
    while (bytes.length < count) {
      const next = await this.next();
      if (next === null) break;
      bytes = bytes.length === 0 ? next : Buffer.concat([bytes, next]);
    }
    return bytes;
  }
}
