import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { type Aligner, compileAligner, complete } from '../../../src/sources/reaction/align.ts';
import { parseYaml } from '../../../src/sources/reaction/documents.ts';
import {
  type ActionSetting,
  type PatternSetting,
  readSettings,
  type Settings,
} from '../../../src/sources/reaction/settings.ts';
import { renders, tokenize } from '../../../src/sources/reaction/split.ts';
import { fixture } from '../../support/paths.ts';

function alignerOf(settings: Settings, [stream = '', filter = '', name = '']: readonly string[]): Aligner {
  const setting = settings.streams.get(stream)?.filters.get(filter);
  const action = setting?.actions.get(name);
  if (!setting || !action) throw new Error(`no action ${stream}.${filter}.${name}`);
  return compileAligner(action, setting, settings);
}

function aligner(cmd: readonly string[] | null, patterns: Readonly<Record<string, Partial<PatternSetting>>>): Aligner {
  const all = Object.entries(patterns).map(
    ([name, setting]) => ({ name, kind: 'regex', regex: null, ...setting }) as const,
  );
  const settings: Settings = {
    ...readSettings(null),
    patterns: new Map(all.map((pattern) => [pattern.name, pattern])),
  };
  const action: ActionSetting = { name: 'act', cmd, delayed: false };
  const filter = { stream: 's', name: 'f', patterns: Object.keys(patterns), actions: new Map([['act', action]]) };
  return compileAligner(action, filter, settings);
}

const browser = 'Mozilla/5.0 (X11; Linux)';

t.test('lines of v2', async (t) => {
  const settings = readSettings(parseYaml(readFileSync(fixture('reaction/answers/test-config.yaml'), 'utf8')));
  const ban = alignerOf(settings, ['ssh', 'failedlogin', 'unban']);
  const args = ['ip46tables', '-w', '-D', 'reaction', '-s', '192.0.2.17', '-j', 'DROP'];
  t.same(ban.align(args, null), { values: ['192.0.2.17'], contradicts: false, open: [] });
  t.same(ban.align(args.with(2, '-A'), null), { values: [undefined], contradicts: true, open: [] });
  t.equal(ban.align(args.slice(1), null).contradicts, true);
  t.equal(ban.align([...args, ''], null).contradicts, true);
  t.same(ban.align(null, null), { values: [undefined], contradicts: false, open: [] });

  const notify = alignerOf(settings, ['nginx', 'browsers', 'notify']);
  const said = `logger -t nginx "${browser}" web.example`;
  t.same(notify.align(['sh', '-c', said, 'x', '203.0.113.9'], null).values, ['web.example', browser, '203.0.113.9']);
  const twice = `logger -t nginx "a" b" web.example`;
  t.same(notify.align(['sh', '-c', twice, 'x', '203.0.113.9'], null).values, ['web.example', 'a" b', '203.0.113.9']);

  const plugin = alignerOf(settings, ['mail', 'sasl', 'ban']);
  t.same(plugin.align(['add', '2001:db8::1'], null).values, [undefined, undefined], 'no cmd, nothing known');
  const reload = alignerOf(settings, ['nginx', 'nopattern', 'reload']);
  t.same(reload.align(['systemctl', 'reload', 'nginx'], null).values, []);
});

t.test('lines of v1 are joined', async (t) => {
  const one = aligner(['iptables', '-s', '<ip>', '-j', 'DROP'], { ip: { kind: 'ip' } });
  t.same(one.align(null, 'iptables -s 198.51.100.23 -j DROP').values, ['198.51.100.23']);
  t.equal(one.align(null, 'iptables -s 198.51.100.23 -j ACCEPT').contradicts, true);
  t.equal(one.align(null, '').contradicts, true);
  const two = aligner(['mail', '<user>', '<ip>', 'x'], { user: { regex: '.+' }, ip: { kind: 'ip' } });
  t.same(two.align(null, 'mail a b 2001:db8::1 x').values, ['a b', '2001:db8::1']);
  t.same(two.align(null, 'mail a 192.0.2.1 192.0.2.2 x').values, ['a 192.0.2.1', '192.0.2.2']);
});

t.test('exact arguments decide first, and one value helps to find the next', async (t) => {
  const some = aligner(['<a>-<b>', '<b>/<c>', '<c>'], { a: {}, b: {}, c: {} });
  t.same(some.align(['1-2-3-4', '3-4/5/6', '5/6'], null).values, ['1-2', '3-4', '5/6']);
  t.equal(some.align(['1-2-3-4', '3-5/6', '6'], null).contradicts, true, 'one value everywhere');
  t.equal(aligner(['<a>', '<a>'], { a: {} }).align(['1', '2'], null).contradicts, true);
});

t.test('several ways give nothing, and the work is bounded', async (t) => {
  const both = aligner(['<a><b>', '<c>'], { a: {}, b: {}, c: {} });
  const found = both.align(['12', '3'], null);
  t.same(found.values, [undefined, undefined, '3']);
  t.equal(found.contradicts, false);
  t.equal(found.open.length, 1);
  const hostile = aligner(['<a>-<b>-<c>'], { a: { regex: '(-+)+' }, b: { regex: '(-+)+' }, c: { regex: '(-+)+!' } });
  t.same(hostile.align([`${'-'.repeat(4000)}?`], null).values, [undefined, undefined, undefined]);
});

t.test('values with angle brackets are values', async (t) => {
  t.same(aligner(['<a>', '<b>'], { a: {}, b: {} }).align(['<b>', '__proto__'], null).values, ['<b>', '__proto__']);
});

t.test('missing values come from the newest match that agrees', async (t) => {
  const matches = [
    ['carol', '192.0.2.3'],
    ['bob', '192.0.2.2'],
    ['alice', '192.0.2.2'],
  ];
  const ban = aligner(['ban', '<ip>'], { user: {}, ip: { kind: 'ip' } });
  const found = ban.align(['ban', '192.0.2.2'], null);
  t.same(complete(found, matches, false), ['bob', '192.0.2.2']);
  t.same(complete(found, matches, true), [undefined, '192.0.2.2'], 'a delayed one is of an older match');
  t.same(complete(ban.align(['ban', '192.0.2.9'], null), matches, false), [undefined, '192.0.2.9']);
  t.same(complete(ban.align(['unban', '192.0.2.2'], null), matches, false), [undefined, undefined], 'contradicts');
  t.same(complete(ban.align(null, null), matches, false), ['carol', '192.0.2.3'], 'arguments unknown');
  t.same(complete(found, [['192.0.2.2'], ['a', 'b', '192.0.2.2']], false), [undefined, '192.0.2.2'], 'other lengths');
  const plugin = aligner(null, { user: {}, ip: { kind: 'ip' } });
  t.same(complete(plugin.align(null, null), matches, false), ['carol', '192.0.2.3']);
});

t.test('a match agrees with the arguments that are open, too', async (t) => {
  const found = aligner(['<a>-<b>'], { a: {}, b: {} }).align(['x-y-z'], null);
  const matches = [
    ['q', 'r'],
    ['x-y', 'z'],
    ['x', 'y-z'],
  ];
  t.same(complete(found, matches, false), ['x-y', 'z']);
});

t.test('only the last thousand matches are looked at', async (t) => {
  const found = aligner(['<b>'], { a: {}, b: {} }).align(['x'], null);
  const others = (count: number): string[][] => Array.from({ length: count }, () => ['other', 'y']);
  t.same(complete(found, [...others(999), ['mine', 'x']], false), ['mine', 'x']);
  t.same(complete(found, [...others(1000), ['mine', 'x']], false), [undefined, 'x']);
});

t.test('never a wrong value', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', ' ', '<', '>', '1', '.', '\u{1f600}'), maxLength: 6 });
  const kinds = [
    { setting: {}, value: text },
    { setting: { regex: '[ab-]+' }, value: fc.stringMatching(/^[ab-]{1,5}$/) },
    { setting: { regex: '(?:a+-?)*' }, value: fc.stringMatching(/^(?:a{1,3}-?){0,3}$/) },
    // In Rust these take any letter, and `\\b` looks at what stands beside the value.
    { setting: { regex: '\\w+' }, value: fc.stringMatching(/^[abä1]{1,4}$/) },
    { setting: { regex: '.*\\b' }, value: fc.stringMatching(/^[ab -]{0,4}$/) },
    {
      setting: { kind: 'ip' as const },
      value: fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.ipV4().map((ip) => `${ip}/24`),
      ),
    },
  ];
  const names = ['a', 'b', 'c'];
  const piece = fc.constantFrom('<a>', '<b>', '<c>', '-', ' ', 'a', '<', '<a');
  const cmd = fc.array(
    fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('')),
    { minLength: 1, maxLength: 4 },
  );
  const chosen = fc.tuple(...names.map(() => fc.nat(kinds.length - 1)));
  const withValues = chosen.chain((indexes) =>
    fc.tuple(fc.constant(indexes), fc.tuple(...indexes.map((index) => kinds[index]?.value ?? text))),
  );
  let decided = 0;
  fc.assert(
    fc.property(cmd, withValues, fc.boolean(), (template, [indexes, values], isV1) => {
      const settings = Object.fromEntries(names.map((name, at) => [name, kinds[indexes[at] ?? 0]?.setting ?? {}]));
      const args = template.map((argument) => render(argument, names, values));
      const found = aligner(template, settings).align(isV1 ? null : args, isV1 ? args.join(' ') : null);
      decided += found.values.filter((value) => value !== undefined).length;
      if (found.contradicts || !found.values.every((value, at) => value === undefined || value === values[at]))
        return false;
      // The match itself agrees with its own run.
      return complete(found, [values], false).every((value, at) => value === values[at]);
    }),
    { numRuns: 2000 },
  );
  t.ok(decided > 1000, `${decided} values were found`);
});

function render(argument: string, names: readonly string[], values: readonly string[]): string {
  const tokens = tokenize(argument, names);
  const text = tokens.map((token) => (typeof token === 'string' ? token : (values[token] ?? ''))).join('');
  if (!renders(tokens, values, text)) throw new Error(`${argument} does not render ${text}`);
  return text;
}
