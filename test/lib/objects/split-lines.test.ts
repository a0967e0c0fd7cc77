import fc from 'fast-check';
import t from 'tap';
import { LINE_LIMIT, LineSplitter } from '../../../src/lib/objects/split-lines.ts';

const LONG = '(too long)';

function split(chunks: readonly Buffer[], limit?: number): readonly string[] {
  const splitter = new LineSplitter(limit);
  const shown = (line: unknown) => (typeof line === 'string' ? line : LONG);
  const found = chunks.flatMap((chunk) => {
    const lines = [...splitter.lines(chunk)].flat().map(shown);
    // Chunks may be used again.
    chunk.fill(0x21);
    return lines;
  });
  return [...found, ...[...splitter.end()].map(shown)];
}

function lines(text: string | Buffer, limit?: number): readonly string[] {
  return split([Buffer.from(text)], limit);
}

t.test('line ends', async (t) => {
  t.same(lines(''), []);
  t.same(lines('a'), ['a']);
  t.same(lines('a\n'), ['a']);
  t.same(lines('a\r\nb\nc\r\n\r\n\nd'), ['a', 'b', 'c', 'd']);
  t.same(lines('a\rb\n'), ['a\rb'], 'a return alone is no end');
  t.same(lines('a\r\r\nb'), ['a\r', 'b']);
  t.same(lines(' \t\r\n \u00a0\n x \n'), [' x ']);
  t.same(lines('a\r'), ['a']);
});

t.test('byte order mark, and bytes that are no UTF-8', async (t) => {
  t.same(lines('\ufeffa\n\ufeffb'), ['a', '\ufeffb']);
  t.same(lines('\ufeff'), []);
  t.same(lines('\ufeff\r\na'), ['a']);
  t.same(lines(Buffer.from([0xef, 0xbb])), ['\ufffd']);
  t.same(lines(Buffer.from([0x61, 0xff, 0x62, 0xc3, 0x0a, 0xa9])), ['a\ufffdb\ufffd', '\ufffd']);
});

t.test('the longest line, and one byte more', async (t) => {
  t.equal(LINE_LIMIT, 1_048_576);
  const longest = 'x'.repeat(LINE_LIMIT);
  for (const [before, end] of [
    ['', '\n'],
    ['', '\r\n'],
    ['', ''],
    ['\ufeff', '\r\n'],
  ]) {
    for (const size of [LINE_LIMIT * 3, 65_536, 700_001]) {
      const cut = (text: string) => {
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(Buffer.from(bytes.subarray(at, at + size)));
        return split(chunks);
      };
      const told = JSON.stringify([before, end, size]);
      t.ok(cut(`${before}${longest}${end}`)[0] === longest, told);
      t.same(cut(`${before}${longest}y${end}`), [LONG], told);
      t.same(cut(`${before}${longest}y${longest}${end || '\n'}z`), [LONG, 'z'], told);
    }
  }
  const two = 'é'.repeat(LINE_LIMIT / 2);
  t.ok(lines(two)[0] === two);
  t.same(lines(`${two}x\n`), [LONG], 'bytes count, not characters');
});

t.test('chunks that are cut anywhere', async () => {
  const piece = fc.constantFrom('a', 'bc', '\n', '\r\n', '\r', ' ', 'é', '\u{1f600}', '\ufeff', 'long line of text');
  const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), fc.integer({ min: 1, max: 20 }), (text, cuts, limit) => {
      const bytes = Buffer.from(text);
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((place, index) => Buffer.from(bytes.subarray(places[index], place)));
      const wanted = text
        .replace(/^\ufeff/, '')
        .split('\n')
        .map((line) => line.replace(/\r$/, ''))
        .map((line) => (Buffer.byteLength(line) > limit ? LONG : line))
        .filter((line) => line !== '' && (line.trim() !== '' || line.charCodeAt(0) > 0x20));
      return split(chunks, limit).join('|') === wanted.join('|');
    }),
    { numRuns: 3_000 },
  );
});
