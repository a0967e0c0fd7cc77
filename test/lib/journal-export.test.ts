import fc from 'fast-check';
import t from 'tap';
import { createExportParser, type JournalEntry } from '../../src/lib/journal-export.ts';

const HEAD = '__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1715241600000001\n';

function framed(name: string, data: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([Buffer.from(`${name}\n`), size, data, Buffer.from('\n')]);
}

function entry(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat([HEAD, ...parts, '\n'].map((part) => Buffer.from(part as string)));
}

function parse(bytes: Buffer, step = bytes.length, maxEntry = 1000): JournalEntry[] {
  const parser = createExportParser(maxEntry);
  const found: JournalEntry[] = [];
  for (let at = 0; at < bytes.length; at += step) found.push(...parser.push(bytes.subarray(at, at + step)));
  return found;
}

function messages(...parts: (string | Buffer)[]): readonly string[] | undefined {
  return parse(entry(...parts))[0]?.messages;
}

t.test('one entry', async (t) => {
  const bytes = entry('_BOOT_ID=b\n', 'MESSAGE=INFO a=b\n', '_SYSTEMD_INVOCATION_ID=abc\n');
  for (const step of [1, 2, 7, bytes.length]) {
    const [found, ...more] = parse(bytes, step);
    t.equal(more.length, 0);
    t.same(found?.messages, ['INFO a=b']);
    t.equal(found?.realtime, 1715241600000001);
    t.equal(found?.time, 1715241600000.001);
    t.equal(found?.invocation, 'abc');
    t.equal(found?.cursor, 's=1;i=2');
    t.equal(found?.bytes, 8);
    t.equal(found?.tooLong, 0);
  }
});

t.test('messages', async (t) => {
  t.same(messages(), [], 'none');
  t.same(messages('MESSAGE=\n'), [''], 'an empty one');
  t.same(messages('MESSAGE=a\n', 'MESSAGE=b\n'), ['a', 'b'], 'a repeated field');
  t.same(messages('MESSAGE=ü=\u{1F980}\n'), ['ü=\u{1F980}'], 'UTF-8');
  t.same(messages(framed('MESSAGE', Buffer.from('a\n\n b\n'))), ['a', '', ' b'], 'several lines, the last ended');
  t.same(messages(framed('MESSAGE', Buffer.from('a\n\n'))), ['a', ''], 'only one line feed is dropped');
  t.same(messages(framed('MESSAGE', Buffer.from([0x1b, 0x61, 0xff, 0x00]))), ['\x1ba\uFFFD\0'], 'bytes');
  t.same(messages('MESSAGES=a\n', 'XMESSAGE=a\n', 'MESSAGF=a\n'), [], 'other names');
});

t.test('an invocation that changes, goes and returns', async (t) => {
  const ids = ['a1', 'a1', 'a2', undefined, 'a2', 'a', 'a1'];
  const bytes = ids.map((id) => entry(id === undefined ? '' : `_SYSTEMD_INVOCATION_ID=${id}\n`));
  t.same(
    parse(Buffer.concat(bytes)).map(({ invocation }) => invocation),
    ids,
  );
});

t.test('what is not whole does not appear', async (t) => {
  const bytes = Buffer.concat([entry('MESSAGE=a\n'), entry(framed('MESSAGE', Buffer.from('x\ny')))]);
  for (let cut = 0; cut < bytes.length; cut++) {
    t.equal(parse(bytes.subarray(0, cut)).length, cut < entry('MESSAGE=a\n').length ? 0 : 1);
  }
});

t.test('a message over the bound is skipped and counted, its entry stays', async (t) => {
  const long = 'x'.repeat(2000);
  for (const part of [`MESSAGE=${long}\n`, framed('MESSAGE', Buffer.from(long))]) {
    const bytes = Buffer.concat([entry(part, 'MESSAGE=b\n', 'MESSAGE=c\n'), entry('MESSAGE=d\n')]);
    for (const step of [1, 100, 1999, bytes.length]) {
      const found = parse(bytes, step);
      t.same(
        found.map(({ messages, tooLong, bytes }) => [messages, tooLong, bytes]),
        [
          [['b', 'c'], 1, 2],
          [['d'], 0, 1],
        ],
      );
    }
  }
  t.equal(parse(entry(`OTHER=${long}\n`), 10)[0]?.tooLong, 0, 'another field is no message');
  t.equal(parse(entry(framed('MESSAGE', Buffer.alloc(1000))))[0]?.tooLong, 0, 'exactly the bound');
});

t.test('many repeated messages are bounded together', async (t) => {
  const [found] = parse(entry('MESSAGE=\n'.repeat(5000)), 64);
  t.equal(found?.messages.length, 1001);
  t.equal(found?.tooLong, 3999);
});

t.test('a message of line feeds only', async (t) => {
  const size = 2 ** 20;
  const [found] = parse(entry(framed('MESSAGE', Buffer.alloc(size, '\n'))), size, size);
  t.equal(found?.messages.length, size);
});

t.test('what is no export format', async (t) => {
  const wish = 'wanted the journal export format';
  const framedBadly = framed('MESSAGE', Buffer.from('abc'));
  framedBadly[framedBadly.length - 1] = 65;
  t.throws(() => parse(entry(framedBadly)), {
    message: `journalctl wrote no line feed after a field framed by its length, ${wish}`,
  });
  t.throws(() => parse(Buffer.from(`${'A'.repeat(300)}=b\n`)), /a field name of more than 256 bytes/);
  t.throws(() => parse(Buffer.from('-- No entries --\n')), /a line that is no field/);
  t.throws(() => parse(Buffer.from('A'.repeat(3000))), /a field name of more than 256 bytes/);
  t.throws(() => parse(Buffer.from('__CURSOR=a\n\n')), /an entry without __CURSOR or __REALTIME_TIMESTAMP/);
  t.throws(() => parse(Buffer.from('MESSAGE=a\n\n')), /an entry without __CURSOR or __REALTIME_TIMESTAMP/);
  t.throws(() => parse(Buffer.from('__REALTIME_TIMESTAMP=x\n')), /a time that is no number/);
  t.throws(() => parse(Buffer.from('__REALTIME_TIMESTAMP=99999999999999999\n')), /a time that is no number/);
  t.same(parse(Buffer.from('\n\n')), [], 'but empty lines are harmless');
});

t.test('any entries in any pieces', async () => {
  const field = fc.oneof(
    fc.string().map((text) => ['MESSAGE', text.replaceAll('\n', ' ')] as const),
    fc.string({ unit: 'binary' }).map((text) => ['MESSAGE', text.toWellFormed()] as const),
    fc.constantFrom(['_BOOT_ID', 'x'] as const, ['OTHER', 'a\nb'] as const, ['_PID', ''] as const),
  );
  const journal = fc.array(fc.array(field, { maxLength: 5 }), { maxLength: 8 });
  const steps = fc.infiniteStream(fc.integer({ min: 1, max: 40 }));
  fc.assert(
    fc.property(journal, steps, (entries, sizes) => {
      const bytes = Buffer.concat(
        entries.map((fields) =>
          entry(...fields.map(([n, v]) => (v.includes('\n') ? framed(n, Buffer.from(v)) : `${n}=${v}\n`))),
        ),
      );
      const parser = createExportParser(10_000);
      const found: (readonly string[])[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = sizes.next().value ?? 1;
        for (const { messages } of parser.push(bytes.subarray(at, at + size))) found.push(messages);
        at += size;
      }
      const wanted = entries.map((fields) =>
        fields.filter(([n]) => n === 'MESSAGE').flatMap(([, v]) => v.replace(/\n$/, '').split('\n')),
      );
      t.strictSame(found, wanted);
    }),
    { numRuns: 200 },
  );
});
