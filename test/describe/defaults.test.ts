import t from 'tap';
import { parse } from 'yaml';
import { choice, described, duration, option, secret, section, text } from '../../src/core/fields.ts';
import { defaultConfig, defaultYaml, type Parts } from '../../src/describe/defaults.ts';

const PARTS: Parts = {
  core: {
    log: section('What is logged.', { level: option(choice('info', 'warn'), 'info', 'Lowest severity.') }),
    state: section('What is kept.', {
      directory: option<string | null>(described(text().nullable(), {}), null, 'Where: `a`, or "b": c # d.'),
      empty: section('Nothing.', {}),
    }),
  },
  sources: [
    {
      type: 'web',
      config: section('A web server.', {
        paths: option(described<readonly string[]>(text() as never, {}), ['/a', '/b: c', '- d'], 'Paths.'),
        wait: option(duration(), '5s', 'How long.'),
        inner: section('Inside.', { password: option(secret(), { file: '/x' }, 'Password.') }),
      }),
    },
  ],
  writers: [],
  on: ['web'],
};

/** The same with another source, and a writer, that are off. */
const MORE: Parts = {
  ...PARTS,
  sources: [
    ...PARTS.sources,
    {
      type: 'post',
      config: section('A post office.', { place: option<string | null>(text() as never, null, 'Where.') }),
    },
  ],
  writers: [
    {
      type: 'print',
      config: section('A printer.', {
        inner: section('Inside.', { colour: option(choice('red', 'blue'), 'red', 'Of the ink.') }),
      }),
    },
  ],
};

t.test('as a value', async (t) => {
  t.same(defaultConfig(PARTS), {
    log: { level: 'info' },
    state: { directory: null, empty: {} },
    sources: { web: { paths: ['/a', '/b: c', '- d'], wait: '5s', inner: { password: { file: '/x' } } } },
    writers: {},
  });
});

t.test('as YAML that says the same, each option with its sentence', async (t) => {
  const yaml = defaultYaml(PARTS);
  t.same(parse(yaml), defaultConfig(PARTS));
  t.equal(
    yaml.slice(yaml.indexOf('\n\n') + 2),
    `# What is logged.
log:
  # Lowest severity.
  level: info

# What is kept.
state:
  # Where: \`a\`, or "b": c # d.
  directory: null
  # Nothing.
  empty: {}

# What is read: TYPE or TYPE/NAME, so that there may be several of a type.
sources:
  # A web server.
  web:
    # Paths.
    paths: [ /a, "/b: c", "- d" ]
    # How long.
    wait: 5s
    # Inside.
    inner:
      # Password.
      password: { file: /x }

# Where each event goes on to: TYPE or TYPE/NAME.
writers: {}
`,
  );
});

t.test('what is off is there as comments', async (t) => {
  t.same(defaultConfig(MORE), defaultConfig(PARTS));
  const yaml = defaultYaml(MORE);
  const { writers: _, ...rest } = defaultConfig(PARTS);
  t.same(parse(yaml), rest);
  t.equal(
    yaml.slice(yaml.indexOf('      password')),
    `      password: { file: /x }
  # A post office.
  # post:
  #   # Where.
  #   place: null

# Where each event goes on to: TYPE or TYPE/NAME.
# writers:
#   # A printer.
#   print:
#     # Inside.
#     inner:
#       # Of the ink.
#       colour: red
`,
  );
});
