import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32, createGunzip, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { unpacked } from '../../../src/lib/objects/body.ts';
import { Checksum } from '../../../src/lib/objects/checksum.ts';

/** Flags of a header (RFC 1952, 2.3.1). */
const [FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED] = [1, 2, 4, 8, 16, 32];
const FLAGS = [0, FNAME, FTEXT, FHCRC, FEXTRA, FCOMMENT, FNAME | FCOMMENT, 31, RESERVED];

interface Member {
  readonly text: string;
  readonly flags: number;
}

function member({ text, flags }: Member): Buffer {
  const head = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]),
    flags & FEXTRA ? Buffer.from([3, 0, 9, 0, 9]) : Buffer.alloc(0),
    flags & FNAME ? Buffer.from('log\0') : Buffer.alloc(0),
    flags & FCOMMENT ? Buffer.from('of a day\0') : Buffer.alloc(0),
  ]);
  const headCheck = flags & FHCRC ? number(crc32(head), 4).subarray(0, 2) : Buffer.alloc(0);
  const length = Buffer.byteLength(text);
  return Buffer.concat([head, headCheck, deflateRawSync(text), number(crc32(text), 4), number(length, 4)]);
}

function number(value: number, bytes: 4): Buffer {
  const written = Buffer.alloc(bytes);
  written.writeUInt32LE(value);
  return written;
}

type Chunks = Iterable<Buffer> | AsyncIterable<Buffer>;

/** What a content is, or what is wrong with it. */
async function found(chunks: Chunks): Promise<string> {
  const content: Buffer[] = [];
  try {
    for await (const chunk of chunks) content.push(chunk);
  } catch (error) {
    return (error as Error).message;
  }
  return `content ${Buffer.concat(content).toString('latin1')}`;
}

/** What zlib alone makes of it. */
async function wanted(body: Buffer): Promise<string> {
  const gunzip = createGunzip();
  gunzip.end(body);
  const result = await found(gunzip);
  return result.startsWith('content ') ? result : `is no sound gzip: ${result}`;
}

/** The same in pieces of this many bytes. */
function pieces(body: Buffer, size: number): Readable {
  const count = Math.ceil(body.length / size);
  return Readable.from(Array.from({ length: count }, (_, index) => body.subarray(size * index, size * (index + 1))));
}

const TAILS: readonly Buffer[] = [
  '',
  '00',
  '0000000000000000000000',
  '0041',
  '41',
  '1f',
  '1f8b',
  '1f8b08',
  '001f8b08',
  '1f8b0900000000000003',
].map((digits) => Buffer.from(digits, 'hex'));

/** Whether the content is the same as zlib alone has it, or the same is wrong with it. */
async function isAsWanted(body: Buffer, size = body.length): Promise<boolean> {
  return (await found(unpacked(pieces(body, size)))) === (await wanted(body));
}

t.test('as zlib alone has it: headers, members, and what is behind them', async (t) => {
  for (const flags of FLAGS) {
    for (const tail of TAILS) {
      const one = Buffer.concat([member({ text: 'one\n', flags }), tail]);
      const two = Buffer.concat([member({ text: 'two\n', flags }), one]);
      const same = [await isAsWanted(one), await isAsWanted(one, 7), await isAsWanted(two), await isAsWanted(two, 7)];
      t.notOk(same.includes(false), `flags ${flags}, behind it ${tail.toString('hex')}`);
    }
  }
});

t.test('as zlib alone has it: cut, and damaged, at each byte', async (t) => {
  const one = member({ text: 'some text, some text', flags: 0 });
  const named = member({ text: 'a', flags: FNAME });
  const bodies = [one, Buffer.concat([named, one]), Buffer.concat([member({ text: '', flags: 0 }), named])];
  const others: string[] = [];
  for (const body of bodies) {
    // The first two bytes make it gzip.
    for (let at = 2; at < body.length; at++) {
      const damaged = [0x01, 0x80, 0xff].map((bits) => {
        const bytes = Buffer.from(body);
        bytes[at]! ^= bits;
        return bytes;
      });
      for (const bad of [body.subarray(0, at), ...damaged])
        if (!(await isAsWanted(bad))) others.push(bad.toString('hex'));
    }
  }
  t.same(others, []);
});

t.test('as zlib alone has it: anything, in any pieces', async () => {
  const members = fc.array(fc.record({ text: fc.string(), flags: fc.constantFrom(...FLAGS) }), {
    minLength: 1,
    maxLength: 4,
  });
  const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })));
  await fc.assert(
    fc.asyncProperty(
      members,
      fc.constantFrom(...TAILS),
      fc.option(fc.nat()),
      damage,
      fc.integer({ min: 1, max: 60 }),
      async (parts, tail, end, bad, size) => {
        const all = Buffer.concat([...parts.map(member), tail]);
        const body = Buffer.from(all.subarray(0, end === null ? all.length : 2 + (end % (all.length - 1))));
        if (bad && body.length > 2) body[2 + (bad[0] % (body.length - 2))]! ^= bad[1];
        return isAsWanted(body, size);
      },
    ),
    { numRuns: 150 },
  );
});

t.test('the sum is that of all members, and goes with what was handed on', async (t) => {
  const texts = [randomBytes(300_000), Buffer.alloc(5_000_000, 'text\n'), Buffer.alloc(0), randomBytes(10)];
  for (const count of [1, 2, 4]) {
    const content = Buffer.concat(texts.slice(0, count));
    const body = Buffer.concat(texts.slice(0, count).map((text) => gzipSync(text)));
    for (const size of [body.length, 65_536, 10_000]) {
      const sum = new Checksum();
      let length = 0;
      for await (const chunk of unpacked(pieces(body, size), { sum })) {
        length += chunk.length;
        t.equal(sum.length, length);
      }
      t.match(sum, { length: content.length, crc: crc32(content) });
    }
  }
});

t.test('what breaks off behind the data, and what is not asked for', async (t) => {
  const failure = new Error('the answer broke off');
  async function* given(chunks: readonly Buffer[]) {
    yield* chunks;
    throw failure;
  }
  const body = gzipSync('text');
  for (const rest of [9, 8, 7, 4, 1, 0]) {
    t.equal(await found(unpacked(given([body.subarray(0, body.length - rest)]))), failure.message);
  }
  t.equal(await found(unpacked(given([body, Buffer.from([0])]))), 'content text', 'behind zeros nothing matters');
});
