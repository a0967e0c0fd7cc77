import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { parsePrinted, parseYaml, type Tree } from '../../../src/sources/reaction/documents.ts';
import { byteOrder, NO_SETTINGS, readSettings, type Settings } from '../../../src/sources/reaction/settings.ts';
import { fixture } from '../../support/paths.ts';

function fromYaml(text: string): Settings {
  return readSettings(parseYaml(text));
}

function patternsOf(settings: Settings, stream: string, filter: string): readonly string[] | undefined {
  return settings.streams.get(stream)?.filters.get(filter)?.patterns;
}

t.test('reads what test-config prints', async (t) => {
  const settings = fromYaml(readFileSync(fixture('reaction/answers/test-config.yaml'), 'utf8'));
  t.same(settings.warnings, []);
  t.same([...settings.streams.keys()], ['ssh', 'mail', 'nginx', 'cloud', 'recidive']);
  t.same(settings.start, ['ip46tables', 'ip46tables']);
  t.same(settings.stop, ['ip46tables', 'ip46tables']);
  t.same(settings.patterns.get('ip'), { name: 'ip', kind: 'ip', regex: null });
  t.same(settings.patterns.get('email'), { name: 'email', kind: 'regex', regex: '[-._+\\w]+@[-.\\w]+' });
  t.same(patternsOf(settings, 'ssh', 'failedlogin'), ['ip']);
  t.same(patternsOf(settings, 'mail', 'sasl'), ['email', 'ip']);
  t.same(patternsOf(settings, 'nginx', 'browsers'), ['Host', 'browser', 'ip'], 'byte order; a group is no pattern');
  t.same(patternsOf(settings, 'nginx', 'nopattern'), []);
  t.same(patternsOf(settings, 'cloud', 'login'), ['ip'], 'type: struct');
  t.same(patternsOf(settings, 'recidive', 'again'), ['ip', 'stream']);
  const actions = settings.streams.get('ssh')?.filters.get('failedlogin')?.actions;
  t.same(
    [...(actions?.values() ?? [])].map(({ name, delayed }) => [name, delayed]),
    [
      ['ban', false],
      ['unban', true],
      ['mail', true],
    ],
  );
  t.same(actions?.get('mail')?.cmd, ['sendmail', 'root@example.net']);
  t.equal(settings.streams.get('mail')?.filters.get('sasl')?.actions.get('ban')?.cmd, null, 'a plugin has no cmd');
});

t.test('a single file with anchors and plugins', async (t) => {
  const settings = fromYaml(readFileSync(fixture('reaction/etc-single/reaction.yml'), 'utf8'));
  t.same(settings.warnings, []);
  const ban = settings.streams.get('ssh')?.filters.get('failedlogin')?.actions.get('ban');
  t.same(ban?.cmd, ['ip46tables', '-w', '-A', 'reaction', '-s', '<ip>', '-j', 'DROP']);
});

t.test('names such as __proto__ are ordinary', async (t) => {
  const settings = fromYaml(`{
    "patterns": { "__proto__": { "regex": ".*" } },
    "streams": { "__proto__": { "filters": { "constructor": { "regex": ["<__proto__>"] } } } }
  }`);
  t.same(patternsOf(settings, '__proto__', 'constructor'), ['__proto__']);
  t.equal(settings.streams.get('toString'), undefined);
});

t.test('fields of a struct filter, text or list', async (t) => {
  const settings = fromYaml(`
patterns: { a: { regex: x }, b: { regex: x }, c: { regex: x } }
streams: { s: { filters: { f: { type: struct, options: { fields: {
  one: { regex: '<c>' }, two: { regex: ['<a>', 'none'] }, three: { other: '<b>' } } } } } } }
`);
  t.same(patternsOf(settings, 's', 'f'), ['a', 'c']);
});

t.test('without a patterns section every word in angle brackets is one', async (t) => {
  const streams = `streams: { s: { filters: { f: { regex: ['<b> (?<c>x) (?P<d>y) <a>'] } } } }`;
  t.same(patternsOf(fromYaml(streams), 's', 'f'), ['a', 'b']);
  t.same(patternsOf(fromYaml(`patterns: ~\n${streams}`), 's', 'f'), ['a', 'b']);
  t.same(patternsOf(fromYaml(`patterns: {}\n${streams}`), 's', 'f'), []);
});

t.test('odd shapes are skipped, each with its place', async (t) => {
  const settings = fromYaml(`
patterns:
  ip: text
  kind: { type: hostname, regex: a }
  none: {}
  list: { regex: [a] }
streams:
  odd: [1]
  s:
    filters:
      f:
        regex: ['<ip>', [x]]
        actions: { a: text, b: { cmd: text }, c: { cmd: [x, { y: z }] }, d: { cmd: [x] } }
      g: 4
start: [[iptables, -N], text, []]
stop: text
`);
  t.same(settings.warnings, [
    'patterns.ip: found "text", wanted a map',
    'patterns.kind.type: found "hostname", wanted ip, ipv4, ipv6 or regex',
    'patterns.none.regex: found nothing, wanted a regex',
    'patterns.list.regex: found a list, wanted a text',
    'streams.odd: found a list, wanted a map',
    'streams.s.filters.f.regex.1: found a list, wanted a text',
    'streams.s.filters.f.actions.a: found "text", wanted a map',
    'streams.s.filters.f.actions.b.cmd: found "text", wanted a list',
    'streams.s.filters.f.actions.c.cmd.1: found a map, wanted a text',
    'streams.s.filters.g: found "4", wanted a map',
    'start.1: found "text", wanted a list',
    'stop: found "text", wanted a list',
  ]);
  t.same(patternsOf(settings, 's', 'f'), ['ip'], 'a pattern that cannot be read keeps its place');
  t.same([...(settings.streams.get('s')?.filters.get('f')?.actions.keys() ?? [])], ['b', 'c', 'd']);
  t.same(settings.start, ['iptables']);
  t.equal(settings.streams.has('odd'), false);
});

t.test('nothing known, nothing wrong', async (t) => {
  for (const document of [null, new Map()]) t.same(readSettings(document), NO_SETTINGS);
  t.same(fromYaml('streams: { s: ~ }').warnings, ['streams.s: found nothing, wanted a map']);
  t.same(readSettings('text').warnings, ['the configuration: found "text", wanted a map']);
});

t.test('never throws, and never warns without end', async () => {
  const map = (entries: Readonly<Record<string, Tree>>): Tree => new Map(Object.entries(entries));
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value = parsePrinted(json);
      readSettings(map({ patterns: value, streams: map({ s: map({ filters: value, x: value }) }), start: value }));
      const filter = map({ regex: value, actions: value, options: value });
      readSettings(map({ streams: map({ s: map({ filters: map({ f: filter }) }) }) }));
    }),
  );
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`s${index}`, '1']));
  t.equal(readSettings(map({ streams: map(many) })).warnings.length, 100);
});

t.test('byte order is that of UTF-8', async (t) => {
  t.same(['é', 'a', 'Z', '\uffee', '\u{1f600}'].sort(byteOrder), ['Z', 'a', 'é', '\uffee', '\u{1f600}']);
});
