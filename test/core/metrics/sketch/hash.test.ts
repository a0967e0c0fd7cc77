import t from 'tap';
import { halfSipHash, hashText, randomSeed, type Seed } from '../../../../src/core/metrics/sketch/hash.ts';

/** From vectors.h of https://github.com/veorq/SipHash: HalfSipHash-2-4-64 of the bytes 0, 1, 2 ..., by their number. */
const VECTORS: readonly (readonly [bytes: number, hash: string])[] = [
  [0, '218d1f59b9b83cc8'],
  [2, '064f39ef7c50eb57'],
  [4, 'd5e78a175be52ea1'],
  [6, 'ce3e91358aa2bc25'],
  [8, 'edfee820bce4858c'],
  [14, '3bb1a870eae8e658'],
  [16, '7336aad25f7bf3b5'],
];

t.test('it is HalfSipHash', async (t) => {
  for (const [bytes, hash] of VECTORS) {
    const text = Buffer.from(Array.from({ length: bytes }, (_, index) => index)).toString('utf16le');
    const found = Buffer.alloc(8);
    const [low, high] = halfSipHash(text, [0x03020100, 0x07060504], 2, 4);
    found.writeUInt32LE(low, 0);
    found.writeUInt32LE(high, 4);
    t.equal(found.toString('hex'), hash, `of ${bytes} bytes`);
  }
});

t.test('whole numbers of 52 bits, that depend on every unit and on the seed', async (t) => {
  const seed: Seed = [0xdeadbeef, 0xffffffff];
  const texts = ['', '\0', '\0\0', 'a', 'ab', 'ba', '\ud800', '\udc00', '\ufffd', '__proto__', 'x'.repeat(1e6)];
  const hashes = texts.map((text) => hashText(text, seed));
  for (const hash of hashes) t.ok(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 52, String(hash));
  t.equal(new Set(hashes).size, texts.length);
  t.equal(new Set([0, 1, 2].flatMap((k) => [hashText('a', [k, 5]), hashText('a', [5, k])])).size, 6);
  t.equal(hashText(`x${'a'.repeat(40)}y`.slice(1, -1), seed), hashText('a'.repeat(40), seed), 'a part of a text');
});

t.test('every bit is set for half of the texts', async (t) => {
  const texts = 20_000;
  const ones = new Array<number>(52).fill(0);
  for (let index = 0; index < texts; index++) {
    const bits = hashText(`192.0.2.${index}`, [1, 2]).toString(2).padStart(52, '0');
    for (let bit = 0; bit < 52; bit++) ones[bit]! += Number(bits[bit]);
  }
  // Five standard deviations of a fair coin.
  const allowed = 5 * Math.sqrt(texts / 4);
  t.ok(
    ones.every((count) => Math.abs(count - texts / 2) <= allowed),
    ones.join(' '),
  );
});

t.test('a random seed is another each time', async (t) => {
  const seeds = Array.from({ length: 10 }, randomSeed);
  t.equal(new Set(seeds.map(String)).size, 10);
  for (const part of seeds.flat()) t.ok(Number.isInteger(part) && part >= 0 && part < 2 ** 32);
});
