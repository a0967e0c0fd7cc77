// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what a user writes
import fc from 'fast-check';
import t from 'tap';
import { readConfig } from '../../src/core/config.ts';
import { described, duration, option, secret, section, size } from '../../src/core/fields.ts';
import { loadListed } from '../../src/core/listed.ts';
import { SOURCES as LISTED } from '../../src/sources/index.ts';
import { WRITERS as LISTED_WRITERS } from '../../src/writers/index.ts';

const SOURCES = await loadListed(LISTED);
const TYPES = SOURCES.map(({ type }) => type).join(', ');

/** All errors as the command line prints them, `LINE:COLUMN: PATH: MESSAGE`. */
function errorsOf(text: string, format: 'yaml' | 'json' = 'yaml', env: NodeJS.ProcessEnv = {}): readonly string[] {
  const { errors } = readConfig(text, { format, env, types: { sources: SOURCES, writers: [] } });
  return errors.map(({ line, column, path, message }) => `${line}:${column}: ${path && `${path}: `}${message}`);
}

function configOf(text: string, env: NodeJS.ProcessEnv = {}) {
  const { config, errors } = readConfig(text, { format: 'yaml', env, types: { sources: SOURCES, writers: [] } });
  if (!config) throw new Error(JSON.stringify(errors));
  return config;
}

t.test('nothing is a configuration, with every default', async (t) => {
  const full = configOf('');
  t.same(full.listen, { address: '127.0.0.1', port: 8080, web_config: null });
  t.same(Object.keys(full.sources), ['reaction']);
  for (const text of [
    '# a comment\n',
    '---\n...\n',
    '{}',
    'null',
    '\ufefflog: {}',
    'log:\nlisten:\nsources:\nwriters:\n',
  ]) {
    t.same(configOf(text), full, text);
  }
});

t.test('bad YAML: line, column, and no more than the first mistake', async (t) => {
  const cases: readonly (readonly [text: string, ...errors: string[]])[] = [
    [
      'listen: { port: 1\nlog: x',
      '2:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    ['log:\n\tlevel: info', '2:1: not valid YAML: Tabs are not allowed as indentation'],
    ['log: {level: "in\\qfo"}', '1:17: not valid YAML: Invalid escape sequence \\q'],
    ['log: !secret {}', '1:6: not valid YAML: Unresolved tag: !secret'],
    ['log: {}\n---\nlog: {}', '2:1: found a second document, wanted one'],
    ['? [a, b]\n: 1', '1:3: found a key that is no text, wanted a name'],
    [
      'listen: {port: ${PORT}}\nlog: x',
      '1:17: not valid YAML: Unexpected flow-map-start at node end; inside of { } and [ ] a ${NAME} wants quotes around it',
    ],
    // What stands behind the mistake may be a secret.
    ['log: {}\n} hunter2', '2:1: not valid YAML: Unexpected flow-map-end token in YAML stream'],
    ['- a', '1:1: found ["a"], wanted a map of sections'],
    ['reaction', '1:1: found "reaction", wanted a map of sections'],
  ];
  for (const [text, ...errors] of cases) t.same(errorsOf(text), errors, text);
});

t.test('keys given twice are all told', async (t) => {
  t.same(errorsOf('log: {level: info, level: warn}\nlisten: {}\nlog: {}'), [
    '1:20: found the key level twice, wanted it once',
    '3:1: found the key log twice, wanted it once',
  ]);
  t.same(errorsOf('{"log": {}, "log": {}}', 'json'), ['1:13: found the key "log" twice, wanted it once']);
});

t.test('bad JSON', async (t) => {
  const wish = 'wanted a value or a key in double quotes';
  const cases: readonly (readonly [text: string, error: string])[] = [
    ['{"log": {"level": "info"},}', '1:27: not valid JSON: Expected double-quoted property name'],
    ['{"log": {"level": "in\nfo"}}', '1:22: not valid JSON: Bad control character in string literal'],
    ['{"log": {\n  level: "info"}}', "2:3: not valid JSON: Expected property name or '}'"],
    ['{"log": {\n  "level": info}}', `2:12: not valid JSON: found "i", ${wish}`],
    ['log: { level: info }', `1:1: not valid JSON: found "l", ${wish}`],
    ['', `1:1: not valid JSON: found its end, ${wish}`],
    ['  \n', `2:1: not valid JSON: found its end, ${wish}`],
    ['{} hunter2', `1:4: not valid JSON: found "h", ${wish}`],
  ];
  for (const [text, error] of cases) t.same(errorsOf(text, 'json'), [error], JSON.stringify(text));
  t.same(errorsOf('\ufeff{\n\t"log": {\n\t\t"level": "info"\n\t}\n}', 'json'), []);
});

t.test('unknown keys at each level, with what was probably meant', async (t) => {
  const text = `
lisen: {}
log: { levle: info }
sources:
  reaction:
    lgos: { file: x }
    logs: { sistemd: y }
    transform: { any: {} }
    export: { matchs: true, matches: { extr: true } }
__proto__: { polluted: true }
constructor: 1
reaction: { config: x }
`;
  t.same(errorsOf(text), [
    '2:1: lisen: found unknown key "lisen", wanted perhaps listen',
    '3:8: log.levle: found unknown key "levle", wanted perhaps level',
    '6:5: sources.reaction.lgos: found unknown key "lgos", wanted perhaps logs',
    '7:13: sources.reaction.logs.sistemd: found unknown key "sistemd", wanted perhaps systemd',
    '8:18: sources.reaction.transform.any: found unknown key "any", wanted one of all, for',
    '9:15: sources.reaction.export.matchs: found unknown key "matchs", wanted perhaps matches',
    '9:40: sources.reaction.export.matches.extr: found unknown key "extr", wanted true, false, { extra: true } or { extra: false }',
    '10:1: __proto__: found unknown key "__proto__", wanted one of log, listen, state, metrics, addresses, sources, writers',
    '11:1: constructor: found unknown key "constructor", wanted one of log, listen, state, metrics, addresses, sources, writers',
    '12:1: reaction: found unknown key "reaction", wanted it under sources',
  ]);
  t.notOk('polluted' in {});
});

t.test('wrong types, several in one line, in the order of the file', async (t) => {
  const text = `
log: 5
listen: [1]
state: { directory: {} }
metrics: { runtime: maybe, series_limit: 0, idle_ttl: forever }
sources: { reaction: { hold: -5s, logs: 7, command: [], socket: "", config: 3, transform: 5, export: { matches: 5, commands: x } } }
writers: none
`;
  const extra = 'wanted true, false, { extra: true } or { extra: false }';
  t.same(errorsOf(text), [
    '2:6: log: found 5, wanted a map with level',
    '3:9: listen: found [1], wanted a map with address, port, web_config',
    '4:21: state.directory: found {}, wanted text that is not empty',
    '5:21: metrics.runtime: found "maybe", wanted true or false',
    '5:42: metrics.series_limit: found 0, wanted a whole number from 1 to 10000000',
    '5:55: metrics.idle_ttl: found "forever", wanted a duration such as 250ms, 60s, 5m, 36h or 7d',
    '6:30: sources.reaction.hold: found "-5s", wanted a duration such as 250ms, 60s, 5m, 36h or 7d',
    '6:41: sources.reaction.logs: found 7, wanted a map with systemd or file',
    '6:53: sources.reaction.command: found [], wanted text that is not empty',
    '6:65: sources.reaction.socket: found "", wanted text that is not empty',
    '6:77: sources.reaction.config: found 3, wanted text that is not empty',
    '6:91: sources.reaction.transform: found 5, wanted a map with all, for',
    `6:113: sources.reaction.export.matches: found 5, ${extra}`,
    '6:126: sources.reaction.export.commands: found "x", wanted true or false',
    '7:10: writers: found "none", wanted a map of sections named TYPE or TYPE/NAME',
  ]);
  t.same(errorsOf('log: { level: loud }'), [
    '1:15: log.level: found "loud", wanted one of trace, debug, info, warn, error, fatal, silent',
  ]);
  for (const [value, found] of [
    ['65536', '65536'],
    ['-1', '-1'],
    ['1.5', '1.5'],
    ['.nan', 'NaN'],
    ['true', 'true'],
    ['"8080x"', '"8080x"'],
    ['99999999999999999999', '100000000000000000000'],
    ['x'.repeat(200), `"${'x'.repeat(79)}…`],
  ]) {
    t.same(errorsOf(`listen: { port: ${value} }`), [
      `1:17: listen.port: found ${found}, wanted a whole number from 0 to 65535`,
    ]);
  }
});

t.test('sources: unknown types, bad names, and names that would be one in the metrics', async (t) => {
  const names = 'wanted a name of up to 63 letters, digits and _ . -, beginning with none of . -';
  const text = `
sources:
  recation: {}
  kafka: {}
  reaction/a b: {}
  reaction/: {}
  reaction/.x: {}
  reaction/${'n'.repeat(64)}: {}
  reaction: {}
  reaction/reaction: {}
  reaction/Edge-1.a_b: {}
  __proto__: {}
writers: { stdout: {} }
`;
  t.same(errorsOf(text), [
    '3:3: sources.recation: found source type "recation", wanted perhaps reaction',
    `4:3: sources.kafka: found source type "kafka", wanted one of ${TYPES}`,
    `5:3: sources.reaction/a b: found name "a b", ${names}`,
    `6:3: sources.reaction/: found name "", ${names}`,
    `7:3: sources.reaction/.x: found name ".x", ${names}`,
    `8:3: sources.reaction/${'n'.repeat(64)}: found name "${'n'.repeat(64)}", ${names}`,
    '10:3: sources.reaction/reaction: found reaction/reaction beside reaction, wanted another name, as both would be called "reaction" in metrics',
    `12:3: sources.__proto__: found source type "__proto__", wanted one of ${TYPES}`,
    '13:12: writers.stdout: found writer type "stdout", wanted none, as this version has no writers',
  ]);
  t.same(errorsOf('sources: []'), ['1:10: sources: found [], wanted a map of sections named TYPE or TYPE/NAME']);
  t.same(errorsOf('sources: {}'), [`1:10: sources: found none, wanted at least one of ${TYPES}`]);
  t.same(errorsOf('sources: { reaction: [1] }'), [
    '1:22: sources.reaction: found [1], wanted a map with config, logs, command, socket, hold, transform, top, distinct, export',
  ]);
});

t.test('where the log is: exactly one place', async (t) => {
  const logs = (text: string) => errorsOf(`sources: { reaction: { logs: ${text} } }`);
  const place = '1:30: sources.reaction.logs: ';
  t.same(logs('{ systemd: a, file: b }'), [`${place}found both systemd and file, wanted one of them`]);
  t.same(logs('{ directory: a, file: b }'), [
    `${place}found both directory and file, wanted directory with systemd alone`,
  ]);
  const read = (text: string) =>
    (configOf(`sources: { reaction: { logs: ${text} } }`).sources.reaction as { logs: unknown }).logs;
  const journal = { systemd: 'reaction.service', directory: null, file: null };
  t.same(read('{}'), journal);
  t.same(read('null'), journal);
  t.same(read('{ systemd: }'), journal);
  t.same(read('{ directory: /j }'), { ...journal, directory: '/j' });
  t.same(read('{ systemd: x }'), { ...journal, systemd: 'x' });
  t.same(read('{ file: }'), { systemd: null, directory: null, file: '/var/log/reaction.log' });
});

t.test('transforms that cannot be used: path, line and column of the file, and of the template', async (t) => {
  const text = `
sources:
  reaction:
    transform:
      all:
        ip: '{{ipp}}'
        user: 5
        __proto__: '{{x}}'
      for:
        a.b:
          c.d:
            e.f: '{{lower}}'
        g: 7
`;
  const errors = errorsOf(text);
  t.same(
    errors.map((error) => error.split(': ', 2).join(': ')),
    [
      '6:13: sources.reaction.transform.all.ip',
      '7:15: sources.reaction.transform.all.user',
      '8:20: sources.reaction.transform.all.__proto__',
      '12:18: sources.reaction.transform.for.a.b.c.d.e.f',
      '13:12: sources.reaction.transform.for.g',
    ],
  );
  t.match(errors[0], /: found a template with a mistake: line 1, column [0-9]+: .*"ipp".*, wanted "ip" or "value"$/);
  t.match(errors[1], /: found 5, wanted a template, true or false$/);
  t.match(errors[3], /: found a template with a mistake: line 1, column 1: found 0 arguments, wanted \(lower text\)$/);
  t.match(errors[4], /: found 7, wanted a map$/);
});

t.test('addresses: classes, lengths and databases', async (t) => {
  t.same(configOf('').addresses, { classes: {}, prefix: { ipv4: 24, ipv6: 64 }, country: null, asn: null });
  const text = `
addresses:
  classes:
    office: [192.0.2.0/24, '2001:db8:1::/48']
    none: []
  prefix: { ipv4: '16' }
  country: \${GEO}/GeoLite2-Country.mmdb
`;
  t.same(configOf(text, { GEO: '/geo' }).addresses, {
    classes: { office: ['192.0.2.0/24', '2001:db8:1::/48'], none: [] },
    prefix: { ipv4: 16, ipv6: 64 },
    country: '/geo/GeoLite2-Country.mmdb',
    asn: null,
  });
  const wrong = `
addresses:
  classes:
    office: 192.0.2.0/24
    vpn: [198.51.100.7/24, 5, office]
    __proto__: [10.0.0.0/33]
    other: [10.0.0.0/8]
    '': [10.0.0.0/8]
  prefix: { ipv4: 33, ipv6: -1, ipv5: 1 }
  country: ''
  asn: [x]
  city: x
`;
  t.same(errorsOf(wrong), [
    '4:13: addresses.classes.office: found "192.0.2.0/24", wanted a list of networks, such as [192.0.2.0/24]',
    '5:11: addresses.classes.vpn[0]: found "198.51.100.7/24" with bits below its length, wanted perhaps 198.51.100.0/24, or 198.51.100.7/32 for the one address',
    '5:28: addresses.classes.vpn[1]: found "5", wanted a network such as 203.0.113.0/24 or 2001:db8::/32',
    '5:31: addresses.classes.vpn[2]: found "office", wanted a network such as 203.0.113.0/24 or 2001:db8::/32',
    '6:17: addresses.classes.__proto__[0]: found "10.0.0.0/33", wanted a length from 0 to 32 after its slash',
    '8:9: addresses.classes.: found a name of 0 characters, wanted 1 to 63',
    '8:10: addresses.classes.[0]: found 10.0.0.0/8 in "other", too, wanted it in one class',
    '9:19: addresses.prefix.ipv4: found 33, wanted a whole number from 0 to 32',
    '9:29: addresses.prefix.ipv6: found -1, wanted a whole number from 0 to 128',
    '9:33: addresses.prefix.ipv5: found unknown key "ipv5", wanted perhaps ipv4',
    '10:12: addresses.country: found "", wanted text that is not empty',
    '11:8: addresses.asn: found ["x"], wanted text that is not empty',
    '12:3: addresses.city: found unknown key "city", wanted one of classes, prefix, country, asn',
  ]);
  t.same(errorsOf('addresses: [10.0.0.0/8]'), [
    '1:12: addresses: found ["10.0.0.0/8"], wanted a map with classes, prefix, country, asn',
  ]);
  t.same(errorsOf('addresses: { classes: [10.0.0.0/8] }'), [
    '1:23: addresses.classes: found ["10.0.0.0/8"], wanted a map with a list of networks for each class',
  ]);
});

t.test('the environment: missing, defaulted, escaped, empty', async (t) => {
  const text = [
    '',
    'listen: { port: "${PORT}", address: "${HOST:-0.0.0.0}" }',
    'log: { level: "${LEVEL}" }',
    'metrics: { runtime: "${RUNTIME:-true}" }',
  ].join('\n');
  t.same(errorsOf(text), [
    '2:17: listen.port: found ${PORT}, but the environment has no PORT; wanted it set, or ${PORT:-default}',
    '3:15: log.level: found ${LEVEL}, but the environment has no LEVEL; wanted it set, or ${LEVEL:-default}',
  ]);
  const config = configOf(text, { PORT: '9000', LEVEL: '' });
  t.same(config.listen, { address: '0.0.0.0', port: 9000, web_config: null });
  t.same(config.log, { level: 'info' }, 'empty is as good as not written');
  t.equal(config.metrics.runtime, true);
  t.same(errorsOf(text, 'yaml', { PORT: '99999', LEVEL: 'info' }), [
    '2:17: listen.port: found "99999", wanted a whole number from 0 to 65535',
  ]);
  const state = configOf('state: { directory: "$${HOME}/$HOME/${HOME}" }', { HOME: '/h' }).state;
  t.equal(state.directory, '${HOME}/$HOME//h');
  t.same(configOf('state:\n  directory: ${A:-/a}${B}\n', { B: '/b' }).state, { directory: '/a/b' });
  t.same(errorsOf('state: { directory: &a "${X}" }\nlog: { level: *a }'), [
    '1:24: state.directory: found ${X}, but the environment has no X; wanted it set, or ${X:-default}',
  ]);
});

t.test('what would fill the memory or the stack', async (t) => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => [...pair])) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`);
  }
  t.same(errorsOf(bomb.join('\n')), ['2:8: found aliases that stand for too much, wanted 100 values at most']);
  t.same(errorsOf('log: *x'), ['1:6: found the alias *x, wanted an anchor &x before it']);
  t.same(errorsOf('log: &x { level: *x }'), ['1:18: found the alias *x, wanted it outside of what it stands for']);
  t.match(configOf('sources:\n  reaction: &x { hold: 5s }\n  reaction/b: *x\n').sources, {
    reaction: { hold: '5s' },
    'reaction/b': { hold: '5s' },
  });
  const message = 'found more than 100 maps and lists in one another, wanted fewer';
  t.same(errorsOf(`log: ${'['.repeat(100_000)}`), [`1:107: ${message}`]);
  t.same(errorsOf(`log: ${'{a: '.repeat(100_000)}`), [`1:407: ${message}`]);
  t.same(errorsOf('- '.repeat(100_000)), [`1:204: ${message}`]);
  t.same(errorsOf(`{"a":${'['.repeat(100_000)}`, 'json'), [`1:107: ${message}`]);
  t.same(errorsOf(Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')).length, 1);
  t.same(errorsOf(' '.repeat(4 * 1024 * 1024 + 1)), ['null:null: found 4194305 characters, wanted at most 4194304']);
});

t.test('no text whatever makes it throw', async () => {
  const word = fc.constantFrom(
    ...[
      'log',
      'sources',
      'reaction',
      ':',
      ': ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '&a',
      '*a',
      '|',
      '>',
      '%',
      '!',
    ],
    ...['\n', '\n  ', '\t', '#', '? ', '${A}', '$${', '---', '...', '<<', '~', '1', '__proto__', '\u0000', '\ud800'],
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
    fc.string({ maxLength: 60 }),
  );
  fc.assert(
    fc.property(text, fc.constantFrom('yaml' as const, 'json' as const), (content, format) => {
      const { config, errors } = readConfig(content, { format, env: {}, types: { sources: SOURCES, writers: [] } });
      if ((config === null) !== errors.length > 0) throw new Error('neither a configuration nor an error, or both');
      for (const { message } of errors) if (!/^(found|not valid)/.test(message)) throw new Error(message);
    }),
    { numRuns: 500 },
  );
});

t.test('a secret is in no message', async (t) => {
  const config = section('', {
    password: option(secret(), 'x', ''),
    auth: section('', { token: option(secret(), 'x', '') }),
    wait: option(duration(), '1s', ''),
    room: option(size(), '1MiB', ''),
  });
  const checked = described(
    config.refine(() => false, { error: 'wanted something else' }),
    { fields: { password: secret(), auth: section('', { token: secret() }) } },
  );
  const types = {
    sources: [
      { type: 'db', config },
      { type: 'strict', config: checked },
    ],
    writers: [],
  };
  const read = (text: string) => {
    const { errors } = readConfig(text, { format: 'yaml', env: {}, types });
    return errors.map(({ path, message }) => `${path}: ${message}`);
  };
  const wish = 'wanted a secret: text, { file: PATH }, { env: NAME } or { credential: NAME }';
  t.same(read('sources: { db: { password: [hunter2] } }'), [`sources.db.password: found "<secret>", ${wish}`]);
  t.same(read('sources: { db: { password: { fil: hunter2 } } }'), [`sources.db.password: found "<secret>", ${wish}`]);
  t.same(read('sources: { db: { auth: hunter2 } }'), ['sources.db.auth: found "<secret>", wanted a map with token']);
  t.same(read('sources: { strict: { password: hunter2, auth: { token: hunter2 } } }'), [
    'sources.strict: found {"password":"<secret>","auth":{"token":"<secret>"}}, wanted something else',
  ]);
  t.notMatch(read('sources: { db: { password: { file: a, env: hunter2 } } }').join('\n'), 'hunter2');
  t.same(read('sources: { db: { wait: soon, room: big } }'), [
    'sources.db.wait: found "soon", wanted a duration such as 250ms, 60s, 5m, 36h or 7d',
    'sources.db.room: found "big", wanted a size such as 512KiB, 64MiB or 1GB, above 0',
  ]);
});

t.test('limits are those of metrics that there are', async (t) => {
  const text = `
metrics:
  series_limits: { reaction_match_cout: 5, trailgauge_series: 0, reaction_actions_total: 7, zzz: 1 }
`;
  t.same(errorsOf(text), [
    '3:20: metrics.series_limits.reaction_match_cout: found metric "reaction_match_cout", wanted perhaps reaction_match_count',
    '3:63: metrics.series_limits.trailgauge_series: found 0, wanted a whole number from 1 to 10000000',
    '3:93: metrics.series_limits.zzz: found metric "zzz", wanted the name of a metric (see: trailgauge metrics)',
  ]);
  t.same(errorsOf('metrics: { series_limits: [1] }'), [
    '1:27: metrics.series_limits: found [1], wanted a map from metrics to numbers',
  ]);
});

t.test('a writer of sources that are not there', async (t) => {
  const types = { sources: SOURCES, writers: await loadListed(LISTED_WRITERS) };
  const text =
    'sources: { reaction/gate: {} }\nwriters: { stdout: { sources: [reaction/gate, reaction/gat, nope] } }\n';
  const { errors } = readConfig(text, { format: 'yaml', env: {}, types });
  t.same(errors, [
    {
      ...{ path: 'writers.stdout.sources[1]', line: 2, column: 47 },
      message: 'found source "reaction/gat", wanted one that is configured: reaction/gate',
    },
    {
      ...{ path: 'writers.stdout.sources[2]', line: 2, column: 61 },
      message: 'found source "nope", wanted one that is configured: reaction/gate',
    },
  ]);
});

t.test('no error that only follows from another one', async (t) => {
  const types = { sources: SOURCES, writers: await loadListed(LISTED_WRITERS) };
  const told = (text: string) =>
    readConfig(text, { format: 'yaml', env: {}, types }).errors.map(({ path, message }) => `${path}: ${message}`);
  const lacks = (path: string) =>
    `${path}: found \${X}, but the environment has no X; wanted it set, or \${X:-default}`;
  const audit = (text: string) => told(`sources: { s3-audit: { ${text} } }`);
  t.same(audit('bucket: "${X}"'), [lacks('sources.s3-audit.bucket')], 'it is not neither bucket nor directory');
  t.same(audit('directory: "${X}"'), [lacks('sources.s3-audit.directory')]);
  t.same(audit('bucket: b, secret_key: "${X}", access_key: a'), [lacks('sources.s3-audit.secret_key')]);
  t.same(
    audit('directory: "${X}", interval: soon').map((error) => error.split(':', 1)[0]),
    ['sources.s3-audit.directory', 'sources.s3-audit.interval'],
    'what is wrong by itself is told',
  );
  t.same(told('listen: { port: "x${X}" }'), [lacks('listen.port')]);
  t.same(
    told('listen: { address: 0.0.0.0 }\nsources: { ingest: { cloudevents: { token: "${X}" } } }'),
    [lacks('sources.ingest.cloudevents.token')],
    'there would be a token',
  );
  t.same(
    told('listen: { address: 5 }\nsources: { ingest: { cloudevents: {} } }').map((error) => error.split(':', 1)[0]),
    ['listen.address'],
    'nothing tells who can reach it',
  );
  const stdout = (name: string) => `writers: { stdout: { sources: [${name}] } }`;
  const paths = (text: string) => told(text).map((error) => error.split(':', 1)[0]);
  t.same(paths(`sources: { recation: {} , cts: {} }\n${stdout('reaction')}`), ['sources.recation']);
  t.same(paths(`sources: { recation: {} , cts: {} }\n${stdout('nope')}`), [
    'sources.recation',
    'writers.stdout.sources[0]',
  ]);
  t.same(paths(`sources: { reaction/-a: {}, cts: {} }\n${stdout('reaction/-a')}`), ['sources.reaction/-a']);
  t.same(paths(`cts: {}\n${stdout('cts')}`), ['cts']);
  t.same(paths(`source: { cts: {} }\n${stdout('cts')}`), ['source']);
  t.same(paths(`sources: []\n${stdout('cts')}`), ['sources']);
  t.same(paths(`sources: {}\ncts: {}\n${stdout('cts')}`), ['cts']);
  t.same(paths(`sources: {}\nlog: { level: loud }\n${stdout('cts')}`), ['sources', 'log.level']);
  t.same(paths(`sources: { cts: { top: x } }\n${stdout('cts')}`), ['sources.cts.top']);
  t.same(paths(`${stdout('"${X}"')}`), ['writers.stdout.sources[0]']);
});

t.test('faults of one section are all told', async (t) => {
  const told = (text: string) => errorsOf(`sources: { ${text} }`).map((error) => error.replace(/^[^ ]+ /, ''));
  t.same(told('s3-audit: { access_key: a }'), [
    'sources.s3-audit.bucket: found neither bucket nor directory, wanted one of them',
    'sources.s3-audit.secret_key: found access_key without secret_key, wanted both',
  ]);
  t.same(told('cts: { auth: { username: a, user_id: b, user_domain: c, user_domain_id: d }, tls: { key: /k } }'), [
    'sources.cts.auth.user_id: found both username and user_id, wanted one of them',
    'sources.cts.auth.user_domain_id: found both user_domain and user_domain_id, wanted one of them',
    'sources.cts.tls.cert: found key without cert, wanted both',
  ]);
});
