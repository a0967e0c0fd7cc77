import { crc32 } from 'node:zlib';

/** What tells one content from another: how many bytes it has, and their CRC-32 (that of gzip). */
export class Checksum {
  #length = 0;
  #crc = 0;

  get length(): number {
    return this.#length;
  }

  get crc(): number {
    return this.#crc;
  }

  /** Goes on with these bytes. */
  add(bytes: Buffer): void {
    this.#length += bytes.length;
    this.#crc = crc32(bytes, this.#crc);
  }
}
