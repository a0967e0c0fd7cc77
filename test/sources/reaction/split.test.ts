import t from 'tap';
import { type Found, MOST_WORK, renders, split, tokenize } from '../../../src/sources/reaction/split.ts';
import { type ValueTest, valueTest } from '../../../src/sources/reaction/values.ts';

const names = ['a', 'b', 'c'];
const anything = valueTest(undefined);

function regex(source: string): ValueTest {
  return valueTest({ name: 'p', kind: 'regex', regex: source });
}

interface Case {
  readonly template: string;
  readonly text: string;
  readonly wanted: Found | 'none' | 'several';
  readonly found?: Found;
  readonly tests?: readonly ValueTest[];
}

t.test('cuts templates at the patterns', async (t) => {
  t.same(tokenize('--from=<a>', names), ['--from=', 0]);
  t.same(tokenize('<a><b>-<c>', names), [0, 1, '-', 2]);
  t.same(tokenize('<<a>:<x><', names), ['<', 0, ':<x><']);
  t.same(tokenize('plain', names), ['plain']);
  t.same(tokenize('', names), []);
  t.same(tokenize('<__proto__>', ['__proto__']), [0]);
});

t.test('renders', async (t) => {
  const tokens = tokenize('x<a>y<b>', names);
  t.equal(renders(tokens, ['1', '2'], 'x1y2'), true);
  t.equal(renders(tokens, ['1', '2'], 'x1y23'), false);
  t.equal(renders(tokens, ['1', '3'], 'x1y2'), false);
  t.equal(renders(tokens, ['1'], 'x1y'), false);
});

t.test('splits', async (t) => {
  const words = [regex('[a-z]+'), regex('[0-9]+'), regex('[a-z]+')];
  const cases: readonly Case[] = [
    { template: '<a>', text: '', wanted: ['', undefined, undefined] },
    { template: '<a>', text: 'anything: <b>', wanted: ['anything: <b>', undefined, undefined] },
    { template: 'x', text: 'x', wanted: [undefined, undefined, undefined] },
    { template: 'x', text: 'y', wanted: 'none' },
    { template: '', text: '', wanted: [undefined, undefined, undefined] },
    { template: '', text: 'x', wanted: 'none' },
    { template: '--from=<a>!', text: '--from=b!!', wanted: ['b!', undefined, undefined] },
    { template: '--from=<a>', text: '--to=b', wanted: 'none' },
    { template: 'aa<a>aa', text: 'aaa', wanted: 'none' },
    { template: '<a>-<b>', text: 'x-y', wanted: ['x', 'y', undefined] },
    { template: '<a>-<b>', text: 'x-y-z', wanted: 'several' },
    { template: '<a>-<b>', text: 'xy', wanted: 'none' },
    { template: '<a><b>', text: 'xy', wanted: 'several' },
    { template: '<a><b>', text: '', wanted: ['', '', undefined] },
    { template: '<a><b>', text: 'abc123', wanted: ['abc', '123', undefined], tests: words },
    { template: '<a><b>', text: '123abc', wanted: 'none', tests: words },
    { template: '<a><c>', text: 'ab', wanted: ['a', undefined, 'b'], tests: words },
    { template: '<a><c>', text: 'abc', wanted: 'several', tests: words },
    { template: '<a>:<a>', text: 'x:x', wanted: ['x', undefined, undefined] },
    { template: '<a>:<a>', text: 'x:y', wanted: 'none' },
    { template: '<a>:<a>', text: 'x:y:x:y', wanted: ['x:y', undefined, undefined] },
    { template: '<a>-<b>', text: 'x-y-z', found: ['x', undefined, undefined], wanted: ['x', 'y-z', undefined] },
    { template: '<a>-<b>', text: 'x-y-z', found: ['x-y', 'z', undefined], wanted: ['x-y', 'z', undefined] },
    { template: '<a>-<b>', text: 'x-y-z', found: ['y', undefined, undefined], wanted: 'none' },
    { template: '<a>-<b>', text: `x-${'y'.repeat(5000)}`, wanted: 'several' },
    { template: '<a>-<b>', text: 'y'.repeat(5000), wanted: 'none' },
    { template: 'x<a>', text: `x${'y'.repeat(100_000)}`, wanted: ['y'.repeat(100_000), undefined, undefined] },
  ];
  for (const { template, text, wanted, found, tests } of cases) {
    const known = { found: found ?? [undefined, undefined, undefined], tests: tests ?? names.map(() => anything) };
    const result = split(tokenize(template, names), text, { ...known, work: { left: MOST_WORK } });
    t.same(result, wanted, `${template} of ${text.slice(0, 40)}`);
  }
});

t.test('hostile texts cost no more than the work allowed', async (t) => {
  const many = Array.from({ length: 12 }, (_, index) => `p${index}`);
  const template = tokenize(many.map((name) => `<${name}>`).join('-'), many);
  const text = `${'-'.repeat(4000)}!`;
  for (const source of ['[^!]*', '(?:-+)+', '(-|-)*', '(-*-*-*)*']) {
    const work = { left: MOST_WORK };
    const tests = many.map(() => regex(source));
    const start = process.cpuUsage().user;
    t.equal(split(template, text, { found: many.map(() => undefined), tests, work }), 'several', source);
    t.ok(work.left > -20_000, 'stops soon after');
    t.ok(process.cpuUsage().user - start < 2_000_000, `${process.cpuUsage().user - start} µs`);
  }
});
