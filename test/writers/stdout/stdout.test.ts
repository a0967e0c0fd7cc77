import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Data, Event } from '../../../src/core/event.ts';
import { stdout } from '../../../src/writers/stdout/index.ts';
import { eventLine } from '../../../src/writers/stdout/line.ts';
import { eventually } from '../../support/trailgauge.ts';
import { findingsOf, openWriter, writeAll } from '../../support/writers.ts';

function events(count: number, filler = ''): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `event ${index}`,
    time: 1_715_419_801_000,
    source: 'cloudtrail',
    action: 'StopLogging',
    outcome: 'denied' as const,
    actor: { type: 'user', id: 'AIDA1', name: 'kim' },
    data: filler === '' ? {} : { filler },
  }));
}

/** A stream that takes all and keeps it. */
function sink(): { readonly stream: Writable; text(): string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

t.test('lines of JSON', async (t) => {
  const { stream, text } = sink();
  const all = events(3, 'a\nb\u2028\x7f\x9b31m"\ud800');
  t.same(await writeAll(openWriter(t, stdout, {}, { stdout: stream }), all), { kind: 'done', dead: [] });
  const lines = text().split('\n');
  t.equal(lines.length, 4);
  t.same(
    lines.slice(0, 3).map((line) => JSON.parse(line)),
    all,
  );
  t.match(text(), /^[\x20-\x7e\n]+$/);
});

t.test('lines for people', async (t) => {
  const { stream, text } = sink();
  const [event] = events(1);
  const all: readonly Event[] = [
    event!,
    { ...event!, actor: { type: 'address', id: '192.0.2.1' }, target: { type: 'b', id: 'x', name: 'two words' } },
    { ...event!, time: Number.NaN, action: 'a\n\x1b[31m\u202eb"', target: { type: 'b', id: '', address: '\x07' } },
    { ...event!, action: '-', target: { type: 'b', id: 'ü'.repeat(1_000) } },
  ];
  await writeAll(openWriter(t, stdout, { format: 'text' }, { stdout: stream }), all);
  t.same(text().split('\n'), [
    '2024-05-11T09:30:01.000Z cloudtrail StopLogging denied kim -',
    '2024-05-11T09:30:01.000Z cloudtrail StopLogging denied 192.0.2.1 "two words"',
    '1970-01-01T00:00:00.000Z cloudtrail "a [31m b\\"" denied kim -',
    `2024-05-11T09:30:01.000Z cloudtrail "-" denied kim ${'ü'.repeat(200)}…`,
    '',
  ]);
});

t.test('what cannot be written', async (t) => {
  let deep: Data = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  const { stream, text } = sink();
  const all = [...events(1), { ...events(1)[0]!, data: { deep } }, ...events(1)];
  t.match(await writeAll(openWriter(t, stdout, {}, { stdout: stream }), all), {
    kind: 'done',
    dead: [{ index: 1, reason: 'rejected' }],
  });
  t.equal(text(), (eventLine(events(1)[0]!, 'json') ?? '').repeat(2));
});

t.test('a reader that is slow is waited for, and little waits within the stream', async (t) => {
  const stream = new PassThrough({ highWaterMark: 1_000 });
  const writer = openWriter(t, stdout, {}, { stdout: stream });
  const writing = writeAll(writer, events(5_000, 'x'.repeat(100)));
  let most = 0;
  let lines = 0;
  for await (const chunk of stream) {
    lines += String(chunk).split('\n').length - 1;
    most = Math.max(most, stream.writableLength + stream.readableLength);
    if (lines === 5_000) break;
  }
  t.same(await writing, { kind: 'done', dead: [] });
  t.ok(most <= 130_000, `${most} bytes`);
});

t.test('a reader that takes nothing: given up, and gone on with in order', async (t) => {
  const stream = new PassThrough({ highWaterMark: 1_000 });
  const writer = openWriter(t, stdout, {}, { stdout: stream });
  const giveUp = new AbortController();
  const writing = writer.write(events(2_000, 'x'.repeat(100)), giveUp.signal);
  await eventually('a chunk to wait', () => stream.writableLength > 0);
  giveUp.abort();
  t.match(await writing, { kind: 'later', hold: false, dead: [], text: /takes nothing/ });
  const again = writer.write(events(2_000, 'x'.repeat(100)), giveUp.signal);
  t.match(await again, { kind: 'later', settled: [] });
  t.ok(stream.writableLength < 130_000, 'no more is added to what waits');
});

t.test('a reader that has gone', async (t) => {
  const stream = new Writable({
    write: (_, __, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });
  const writer = openWriter(t, stdout, {}, { stdout: stream });
  for (let round = 0; round < 3; round++) {
    t.match(await writeAll(writer, events(3)), { kind: 'later', settled: [], hold: true, text: /nobody reads it/ });
  }
  t.match(await findingsOf(stdout, {}, { stdout: stream }), [{ ok: false, detail: /is closed/ }]);
  t.match(await findingsOf(stdout, {}, { stdout: sink().stream }), [{ ok: true }]);
});

t.test('a real pipe whose reader goes', async (t) => {
  const url = new URL('../../../src/writers/stdout/write.js', import.meta.url);
  const script = `
    import { openStdout } from ${JSON.stringify(url.href)};
    const writer = openStdout(process.stdout, 'json');
    const event = { id: 'x', time: 0, source: 's', action: 'a', outcome: 'ok', data: { filler: 'x'.repeat(1000) } };
    const { signal } = new AbortController();
    for (let round = 0; round < 10; round++) {
      const { kind, hold } = await writer.write(new Array(1000).fill(event), signal);
      console.error(kind, hold);
    }
  `;
  t.ok(fileURLToPath(url).endsWith('write.js'));
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(String(chunk)));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number | null];
  t.equal(code, 0, said.join(''));
  t.equal(said.join('').trimEnd().split('\n').at(-1), 'later true');
});
