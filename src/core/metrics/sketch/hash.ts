import { randomBytes } from 'node:crypto';

/** Key of a hash: two whole numbers of 32 bits. */
export type Seed = readonly [low: number, high: number];

/** A seed that nobody can guess. */
export function randomSeed(): Seed {
  const bytes = randomBytes(8);
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}

/**
 * Hash of a text: a whole number from 0 up to, not including, 2^52, of the text's UTF-16 units.
 *
 * It is HalfSipHash-1-3. Texts come from those who are watched: with murmur3 or xxhash they could write texts that
 * share one hash under every seed, and be counted as one (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * 2012); with this they would have to know the seed, which no hash that they get to see tells them.
 *
 * One lane of 32 bits would be too few: among n texts some n² / 2^33 share a hash, 1 % of a hundred million, and a
 * HyperLogLog that takes 14 of the bits has but 18 left for its ranks. With 52 bits it is 10^-8 of them, and the number
 * is still exact and cheap to keep.
 */
export function hashText(text: string, seed: Seed): number {
  const [low, high] = halfSipHash(text, seed, 1, 3);
  return (high >>> 12) * 2 ** 32 + low;
}

/**
 * HalfSipHash-c-d with its 64-bit output, as two lanes of 32 bits, of a text's UTF-16 units in little-endian order.
 * From https://github.com/veorq/SipHash, halfsiphash.c, where the test vectors are, too (for 2-4).
 */
export function halfSipHash(text: string, [k0, k1]: Seed, c: number, d: number): readonly [low: number, high: number] {
  const words = text.length >>> 1;
  let v0 = k0 | 0;
  let v1 = k1 ^ 0xee;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  let low = 0;
  // One step for each pair of units, one for what is left and the length, and two that finish, one for each lane.
  for (let step = 0; step < words + 3; step++) {
    let word = 0;
    let rounds = c;
    if (step < words) {
      word = text.charCodeAt(2 * step) | (text.charCodeAt(2 * step + 1) << 16);
    } else if (step === words) {
      word = (text.length << 25) | (text.length & 1 ? text.charCodeAt(2 * step) : 0);
    } else {
      rounds = d;
      if (step === words + 1) {
        v2 ^= 0xee;
      } else {
        low = v1 ^ v3;
        v1 ^= 0xdd;
      }
    }
    v3 ^= word;
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return [low >>> 0, (v1 ^ v3) >>> 0];
}
