import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { deadLetters } from '../../src/core/dead-letters.ts';
import { folder } from '../support/cli.ts';
import { event } from '../support/queue-rig.ts';

const refused = { reason: 'rejected', text: 'no' } as const;

function idsIn(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
}

t.test('a line for each, with reason and event, for nobody else to read', async (t) => {
  const directory = folder(t);
  const letters = deadLetters(directory, 'elasticsearch/far');
  t.equal(letters.path, join(directory, 'dead-letter', 'elasticsearch.far.ndjson'));
  await letters.add([
    { event: event('1'), refused },
    { event: event('ü\n2'), refused: { reason: 'too_large', text: 'a\nb' } },
  ]);
  await letters.add([{ event: event('3'), refused }]);
  const [first, second] = readFileSync(letters.path, 'utf8').split('\n');
  t.same(JSON.parse(first ?? ''), { ...refused, event: event('1') });
  t.match(JSON.parse(second ?? ''), { reason: 'too_large', text: 'a\nb', event: { id: 'ü\n2' } });
  t.same(idsIn(letters.path), ['1', 'ü\n2', '3']);
  t.equal(statSync(letters.path).mode & 0o777, 0o600);
  t.equal(statSync(join(directory, 'dead-letter')).mode & 0o777, 0o700);
});

t.test('two files of bounded size: the oldest go', async (t) => {
  const letters = deadLetters(folder(t), 'influx', 1_000);
  for (let i = 0; i < 40; i++) await letters.add([{ event: event(`small ${i}`), refused }]);
  const ids = [...idsIn(`${letters.path}.1`), ...idsIn(letters.path)];
  t.ok(ids.length > 6 && ids.length < 20);
  t.equal(ids.at(-1), 'small 39');
  t.same(
    ids,
    ids.map((_, index) => `small ${40 - ids.length + index}`),
    'without a gap',
  );
  for (const path of [letters.path, `${letters.path}.1`]) t.ok(statSync(path).size <= 1_000);
  await letters.add(Array.from({ length: 100 }, (_, i) => ({ event: event(`many ${i}`), refused })));
  t.equal(idsIn(letters.path).at(-1), 'many 99');
  for (const path of [letters.path, `${letters.path}.1`]) t.ok(statSync(path).size <= 1_000);
  await letters.add([
    { event: event('x'.repeat(5_000)), refused },
    { event: event('after'), refused },
  ]);
  t.same(idsIn(letters.path), ['after']);
  t.same(idsIn(`${letters.path}.1`), ['x'.repeat(5_000)], 'what is larger than a file has one for itself');
});

t.test('a line that was cut off does not spoil the next', async (t) => {
  const letters = deadLetters(folder(t), 'influx');
  await letters.add([{ event: event('1'), refused }]);
  appendFileSync(letters.path, '{"reason":"rej');
  await letters.add([{ event: event('2'), refused }]);
  const lines = readFileSync(letters.path, 'utf8').split('\n');
  t.equal(lines[1], '{"reason":"rej');
  t.match(JSON.parse(lines[2] ?? ''), { event: { id: '2' } });
  t.notOk(existsSync(`${letters.path}.1`));
});
