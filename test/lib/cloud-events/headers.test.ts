import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { decodeHeader, encodeHeader } from '../../../src/lib/cloud-events/headers.ts';
import { fixture } from '../../support/paths.ts';

interface Vectors {
  readonly encode: readonly (readonly [string, string])[];
  readonly decode: readonly (readonly [string, string | { readonly error: string }])[];
}

const vectors = JSON.parse(readFileSync(fixture('cts/cloudevents/headers.json'), 'utf8')) as Vectors;

t.test('vectors', async (t) => {
  for (const [text, value] of vectors.encode) t.equal(encodeHeader(text), value, JSON.stringify(text));
  for (const [value, wanted] of vectors.decode) {
    t.equal(decodeHeader(value), typeof wanted === 'string' ? wanted : null, JSON.stringify(value));
  }
});

t.test('each character below U+0100', async (t) => {
  for (let code = 0; code < 0x100; code++) {
    const text = String.fromCharCode(code);
    const isPlain = code > 0x20 && code < 0x7f && !'"%'.includes(text);
    t.match(encodeHeader(text), isPlain ? text : /^(?:%[0-9A-F]{2}){1,2}$/, `U+${code.toString(16)}`);
    t.equal(decodeHeader(encodeHeader(text)), text);
  }
});

t.test('what is sent is ASCII without spaces, and comes back', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const value = encodeHeader(text);
      if (!/^[!-~]*$/.test(value)) throw new Error(value);
      if (decodeHeader(value) !== text.toWellFormed()) throw new Error(value);
    }),
  );
});

t.test('values of others', async (t) => {
  for (const [value, wanted] of [
    ['', ''],
    ['"', '"'],
    ['""', ''],
    ['"a', '"a'],
    ['"a%20\\"b\\\\"', 'a "b\\'],
    ['"\\%41"', 'A'],
    ['a\\b', 'a\\b'],
    ['%', '%'],
    ['%4', '%4'],
    ['%%41', '%A'],
    ['%2541', '%41'],
    ['%4%31', '%41'],
    ['%EF%BB%BFx', '\ufeffx'],
    ['%F0%9F%8D%B7', '🍷'],
    // As `node:http` gives what was sent as plain UTF-8.
    [Buffer.from('Fässer 🍷').toString('latin1'), 'Fässer 🍷'],
    ['%C3\u00a4', 'ä'],
  ] as const) {
    t.equal(decodeHeader(value), wanted, JSON.stringify(value));
  }
});

t.test('what is not UTF-8', async (t) => {
  for (const value of ['\u00fc', '%FC', '%C0%80', '%ED%A0%80', '%F4%90%80%80', '%E2%82', '%80', '"%FF"', 'x%C3']) {
    t.equal(decodeHeader(value), null, JSON.stringify(value));
  }
});

t.test('half a pair is sent as U+FFFD', async (t) => {
  t.equal(encodeHeader('a\ud83c'), 'a%EF%BF%BD');
});
