import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { type UnpackOptions, unpacked, unzippedInput } from '../../../src/lib/objects/body.ts';
import { isBroken } from '../../../src/lib/objects/broken.ts';
import { LineSplitter } from '../../../src/lib/objects/split-lines.ts';
import { fixture } from '../../support/paths.ts';

/** The bytes, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((place, index) => bytes.subarray(sorted[index], place));
}

/** Chunks as a store gives them; `state` tells whether they were let go of. */
async function* given(chunks: readonly Buffer[], state = { isOpen: true }, failure: Error | null = null) {
  try {
    yield* chunks;
    if (failure) throw failure;
  } finally {
    state.isOpen = false;
  }
}

async function content(chunks: AsyncIterable<Buffer>, options?: UnpackOptions): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const chunk of unpacked(chunks, options)) found.push(Buffer.from(chunk));
  return Buffer.concat(found);
}

async function records(body: Buffer, places: readonly number[]): Promise<number | 'broken'> {
  const splitter = new LineSplitter();
  let count = 0;
  try {
    for await (const chunk of unpacked(given(cut(body, places))))
      for (const lines of splitter.lines(chunk)) count += lines.length;
    for (const _ of splitter.end()) count += 1;
  } catch (error) {
    if (isBroken(error)) return 'broken';
    throw error;
  }
  return count;
}

const FILES = readFileSync(fixture('object-logs/gzip/expected.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [string, string]);

t.test('sound and broken objects, cut anywhere', async (t) => {
  t.equal(FILES.length, 15);
  for (const [name, wanted] of FILES) {
    const body = readFileSync(fixture(`object-logs/gzip/${name}`));
    const places = fc.array(fc.nat(), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => String(await records(body, cuts)) === wanted),
      {
        numRuns: 15,
        examples: [[[]], [[1]], [[2, 3, 4, 5]], [[body.length - 1]], [Array.from(body.keys()).slice(0, 40)]],
      },
    );
    t.pass(name);
  }
});

t.test('what is broken says so, and lets go', async (t) => {
  for (const name of ['truncated', 'bad-crc', 'flipped-byte']) {
    const state = { isOpen: true };
    const body = readFileSync(fixture(`object-logs/gzip/${name}.gz`));
    await t.rejects(content(given([body], state)), { message: /^is no sound gzip: / });
    t.notOk(state.isOpen);
    t.throws(() => unzippedInput(body), { message: /^is no sound gzip: / });
  }
  t.same(unzippedInput(gzipSync('a')), Buffer.from('a'));
  t.same(unzippedInput(Buffer.from('plain')), Buffer.from('plain'));
});

t.test('an error of who delivers stays what it is', async (t) => {
  const failure = new Error('the answer broke off');
  const body = gzipSync(randomBytes(100_000));
  for (const chunks of [[], [body.subarray(0, 1)], [body.subarray(0, 50_000)], [body]]) {
    const error = await content(given(chunks, undefined, failure)).catch((caught: unknown) => caught);
    t.equal(error, failure);
    t.notOk(isBroken(error));
  }
  await t.rejects(content(given([Buffer.from('text')], undefined, failure)), failure);
});

t.test('what unpacks to too much is broken', async (t) => {
  const bomb = gzipSync(Buffer.alloc(3_000_000));
  t.equal((await content(given([bomb]), { limit: 3_000_000 })).length, 3_000_000);
  const state = { isOpen: true };
  await t.rejects(content(given([bomb], state), { limit: 2_999_999 }), {
    message: 'unpacks to more than 2999999 bytes',
  });
  t.notOk(state.isOpen);
  t.ok(isBroken(await content(given([Buffer.alloc(10)]), { limit: 9 }).catch((error: unknown) => error)));
});

t.test('much, read slowly, without warnings; a reader that stops early', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const text = randomBytes(6_000_000);
  const body = gzipSync(text);
  const places = Array.from({ length: 200 }, (_, index) => index * 30_000);
  let length = 0;
  for await (const chunk of unpacked(given(cut(body, places)))) {
    length += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(length, text.length);
  const state = { isOpen: true };
  for await (const _ of unpacked(given(cut(body, places), state))) break;
  t.notOk(state.isOpen);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  t.same(warnings, []);
});
