import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { cutLines, cutRest, type LineSource, type Lines, lineSpace, peek } from '../../src/lib/lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'log');
const none = Buffer.alloc(0);

async function withSource(content: string, use: (source: LineSource) => Promise<void>): Promise<void> {
  writeFileSync(path, content);
  const handle = await open(path);
  try {
    await use({ handle, offset: 0, head: none, tail: none, edge: none, skipped: 0 });
  } finally {
    await handle.close();
  }
}

/** Cuts all there is, and the rest if asked for. */
async function cutAll(source: LineSource, sizes: { maxLine: number; chunk: number; rest: boolean }) {
  const space = lineSpace(sizes.maxLine, sizes.chunk);
  const limit = statSync(path).size;
  let text = '';
  let tooLong = 0;
  const add = (lines: Lines) => {
    text += lines.bytes.toString('latin1');
    tooLong += lines.tooLong;
  };
  for (;;) {
    const lines = await cutLines(source, limit, space);
    if (lines === 'changed') throw new Error('the file has not changed');
    if (lines === 'end') break;
    add(lines);
  }
  const rest = sizes.rest ? await cutRest(source, limit, space) : 'end';
  if (typeof rest === 'object') add(rest);
  return { text, tooLong };
}

t.test('gives what splitting at every newline gives, however the file grows', async (t) => {
  const line = fc.integer({ min: 0, max: 40 }).map((length) => 'x'.repeat(length));
  const pieces = fc.array(fc.array(line, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });
  const sizes = fc.record({ maxLine: fc.integer({ min: 1, max: 30 }), chunk: fc.integer({ min: 1, max: 64 }) });
  const run = fc.asyncProperty(pieces, sizes, async (pieces, { maxLine, chunk }) => {
    await withSource('', async (source) => {
      const got = { text: '', tooLong: 0 };
      for (const [i, piece] of pieces.entries()) {
        appendFileSync(path, piece.join('\n'));
        const { text, tooLong } = await cutAll(source, { maxLine, chunk, rest: i === pieces.length - 1 });
        got.text += text;
        got.tooLong += tooLong;
      }
      const whole = pieces.map((piece) => piece.join('\n')).join('');
      const lines = whole.split(/(?<=\n)/).filter((line) => line !== '');
      const isLong = (line: string) => line.replace('\n', '').length > maxLine;
      const wanted = lines.filter((line) => !isLong(line)).join('');
      if (got.text !== wanted) throw new Error(`got ${JSON.stringify(got.text)}, wanted ${JSON.stringify(wanted)}`);
      if (got.tooLong !== lines.filter(isLong).length) throw new Error(`${got.tooLong} too long`);
      if (source.offset !== whole.length) throw new Error(`offset ${source.offset}, wanted ${whole.length}`);
    });
  });
  await fc.assert(run, { seed: 1, numRuns: 200 });
  t.pass('all files');
});

t.test('the longest line that fits, and one byte more', async (t) => {
  await withSource('12345\n123456\n1234\n', async (source) => {
    t.same(await cutAll(source, { maxLine: 5, chunk: 100, rest: false }), { text: '12345\n1234\n', tooLong: 1 });
  });
});

t.test('a file that holds other bytes than before is not read on', async (t) => {
  await withSource(`${'a'.repeat(99)}\n`, async (source) => {
    const space = lineSpace(1000, 1000);
    await cutLines(source, 100, space);
    writeFileSync(path, `${'b'.repeat(99)}\n${'b'.repeat(99)}\n`);
    t.equal(await cutLines(source, 200, space), 'changed');
    t.equal(await cutRest(source, 200, space), 'changed');
    t.equal(await cutLines(source, 50, space), 'changed');
    t.equal(source.offset, 100);
  });
  await withSource('begun', async (source) => {
    await peek(source);
    writeFileSync(path, 'other\n');
    t.equal(await cutLines(source, 6, lineSpace(1000, 1000)), 'changed');
  });
  await withSource('short', async (source) => {
    t.equal(await cutLines(source, 100, lineSpace(1000, 1000)), 'changed', 'shorter than it was a moment ago');
  });
});
