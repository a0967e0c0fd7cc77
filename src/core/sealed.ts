import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';

/**
 * Plain values as bytes that tell whether they are still the same: four bytes of CRC-32, then msgpack. A database
 * notices neither a sector of zeros nor a bit that fell over in what it keeps.
 */
export function seal(value: unknown): Buffer {
  const packed = packr.pack(value);
  const bytes = Buffer.allocUnsafe(CHECKSUM + packed.length);
  bytes.writeUInt32LE(crc32(packed), 0);
  packed.copy(bytes, CHECKSUM);
  return bytes;
}

/** The value that was sealed; throws if the bytes are not what `seal` gave. */
export function unseal(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed = buffer.subarray(CHECKSUM);
  if (packed.length === 0 || buffer.readUInt32LE(0) !== crc32(packed)) throw new Error('a checksum does not match');
  return packr.unpack(packed);
}

const CHECKSUM = 4;

// Records would need to know the values that came before.
const packr = new Packr({ useRecords: false });
