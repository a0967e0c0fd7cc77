import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { cleanLine } from '../../../src/sources/reaction/clean.ts';
import { readQuotedList, unescapeRust } from '../../../src/sources/reaction/list.ts';
import { exitCode, parseLine } from '../../../src/sources/reaction/parse.ts';
import { fixture } from '../../support/paths.ts';

interface Case {
  readonly line: string;
  readonly want: Record<string, unknown> & { readonly kind: string };
}

const NOW = Date.UTC(2026, 4, 9);

t.test('every line of the samples', async (t) => {
  for (const text of readFileSync(fixture('reaction/lines.jsonl'), 'utf8').trim().split('\n')) {
    // The file is ours: each line is a case.
    const { line, want } = JSON.parse(text) as Case;
    const clean = cleanLine(line, NOW);
    const parsed = parseLine(clean.text, clean.v1);
    const { time, v1, ...fields } = want;
    t.equal(clean.v1, v1 === true, `v1: ${line}`);
    if (time !== undefined) t.equal(clean.time, Number(time) * 1000, `time: ${line}`);
    if (want.kind === 'silent') t.equal(parsed, null, line);
    else if (want.kind === 'rejected') t.same(parsed, { rejected: want.reason }, line);
    else t.match(parsed, fields, line);
  }
});

t.test('times in front', async (t) => {
  const local = new Date(2026, 4, 9, 10, 12, 45).getTime();
  t.equal(cleanLine('May  9 10:12:45 gate reaction[8]: INFO x: start', local).time, local);
  t.equal(cleanLine('May  9 10:12:45 gate reaction[8]: INFO x: start', local).text, 'INFO x: start');
  t.equal(cleanLine('Dec 31 23:59:59 INFO x: start', local).time, new Date(2025, 11, 31, 23, 59, 59).getTime());
  t.equal(cleanLine('2024/05/03 10:00:00 INFO  x: start', local).time, new Date(2024, 4, 3, 10).getTime());
  t.equal(cleanLine('2024-05-09T08:12:45,5Z  INFO x: start', local).time, Date.UTC(2024, 4, 9, 8, 12, 45, 500));
  t.same(cleanLine('2024-99-09T08:12:45Z INFO x: start', local).time, null);
});

t.test('exit codes', async (t) => {
  t.equal(exitCode(': exit status: 3'), '3');
  t.equal(exitCode(': exit code: Some(1)'), '1');
  t.equal(exitCode(', code 7'), '7');
  t.equal(exitCode(': signal: 15 (SIGTERM)'), '143');
  t.equal(exitCode(''), 'none');
  t.equal(exitCode(': code none at all 5'), 'none');
});

t.test('a list gives back what Rust would have written', async () => {
  const values = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 });
  fc.assert(
    fc.property(values, fc.constantFrom(', ', ' '), fc.string(), (list, separator, tail) => {
      const text = `[${list.map(rustDebug).join(separator)}]`;
      const read = readQuotedList(text + tail, 0);
      t.same(read?.values, list);
      t.equal(read?.end, text.length);
    }),
  );
});

t.test('no text makes the parser throw, and none takes long', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.boolean(), (text, v1) => {
      const clean = cleanLine(text, NOW);
      parseLine(clean.text, v1);
      unescapeRust(text);
    }),
  );
  const hostile = [
    `INFO a.b: match ["${'\\'.repeat(1_000_000)}`,
    `${'x'.repeat(1_000_000)}: INFO`,
    '\x1b['.repeat(500_000),
  ];
  for (const text of hostile) {
    const clean = cleanLine(text, NOW);
    parseLine(clean.text, clean.v1);
  }
});

/** As `{:?}` of a Rust string, for the characters that matter here. */
function rustDebug(value: string): string {
  let text = '';
  for (const char of value) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"' || char === '\\') text += `\\${char}`;
    else if (char === '\n') text += '\\n';
    else if (char === '\0') text += '\\0';
    else if (code < 0x20 || code === 0x7f || (code >= 0x80 && code < 0xa0)) text += `\\u{${code.toString(16)}}`;
    else text += char;
  }
  return `"${text}"`;
}
