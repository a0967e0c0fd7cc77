import fc from 'fast-check';
import t from 'tap';
import { type Label, labelText } from '../../../src/core/metrics/labels.ts';
import {
  escapeName,
  isLegacyLabelName,
  isLegacyMetricName,
  labelName,
  metricName,
  NAME_LIMIT,
  readLabelText,
  writtenLabelName,
  writtenMetricName,
  writtenSeries,
} from '../../../src/core/metrics/names.ts';

t.test('the old charset', async (t) => {
  for (const name of ['a', '_', 'A9', 'go_threads', '__x__']) {
    t.ok(isLegacyMetricName(name) && isLegacyLabelName(name), name);
  }
  for (const name of [':', 'job:rate:5m', 'a:b']) t.ok(isLegacyMetricName(name) && !isLegacyLabelName(name), name);
  for (const name of ['', '9', 'a.b', 'a b', 'ä', 'a\n', 'a-b', '花', '٣']) {
    t.notOk(isLegacyMetricName(name) || isLegacyLabelName(name), JSON.stringify(name));
  }
});

t.test('escaping, by the examples of prometheus/common', async (t) => {
  const cases: readonly (readonly [name: string, underscores: string, dots: string, values: string])[] = [
    ['no:escaping_required', 'no:escaping_required', 'no:escaping__required', 'no:escaping_required'],
    [
      'mysystem.prod.west.cpu.load',
      'mysystem_prod_west_cpu_load',
      'mysystem_dot_prod_dot_west_dot_cpu_dot_load',
      'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load',
    ],
    [
      'mysystem.prod.west.cpu.load_total',
      'mysystem_prod_west_cpu_load_total',
      'mysystem_dot_prod_dot_west_dot_cpu_dot_load__total',
      'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total',
    ],
    ['http.status:sum', 'http_status:sum', 'http_dot_status:sum', 'U__http_2e_status:sum'],
    ['label with 😱', 'label_with__', 'label__with____', 'U__label_20_with_20__1f631_'],
    ['花火', '__', '____', 'U___82b1__706b_'],
    ['label with \u0100', 'label_with__', 'label__with____', 'U__label_20_with_20__100_'],
    // Not published there, but what it does.
    ['1a1', '_a1', '__a1', 'U___31_a1'],
    ['_1.', '_1_', '__1_dot_', 'U____1_2e_'],
    ['\ud800', '_', '__', 'U___fffd_'],
    ['', '', '', ''],
  ];
  for (const [name, underscores, dots, values] of cases) {
    t.equal(escapeName(name, 'underscores'), underscores);
    t.equal(escapeName(name, 'dots'), dots);
    t.equal(escapeName(name, 'values'), values);
    t.equal(escapeName(name, 'allow-utf-8'), name.toWellFormed());
  }
});

t.test('names as a scraper sees them', async (t) => {
  for (const escaping of ['underscores', 'dots', 'values', 'allow-utf-8'] as const) {
    t.equal(metricName('job:a_b', escaping), 'job:a_b', 'a legal name stays');
    t.equal(labelName('a_b', escaping), 'a_b');
    t.throws(() => metricName('', escaping), {
      message: 'found an empty name, wanted a metric or label name of at least one character',
    });
  }
  t.equal(metricName('unicode.and.dots.花火', 'dots'), 'unicode_dot_and_dot_dots_dot_____');
  t.equal(labelName('some?label', 'values'), 'U__some_3f_label');
  t.equal(labelName('a:b', 'underscores'), 'a_b', 'a colon is foreign to labels');
  t.equal(labelName('a:b', 'values'), 'U__a_3a_b');
  t.equal(labelName('a:b', 'allow-utf-8'), 'a:b');
});

t.test('names as both text formats write them', async (t) => {
  const cases: readonly (readonly [name: string, head: string, alone: string, labelled: string])[] = [
    ['a:b', 'a:b', 'a:b', 'a:b{x="y"}'],
    ['my.metric', '"my.metric"', '{"my.metric"}', '{"my.metric",x="y"}'],
    ['q"\\\n', '"q\\"\\\\\\n"', '{"q\\"\\\\\\n"}', '{"q\\"\\\\\\n",x="y"}'],
    ['花', '"花"', '{"花"}', '{"花",x="y"}'],
  ];
  for (const [name, head, alone, labelled] of cases) {
    t.equal(writtenMetricName(name), head);
    t.equal(writtenSeries(name, ''), alone);
    t.equal(writtenSeries(name, 'x="y"'), labelled);
  }
  t.equal(writtenLabelName('a_b'), 'a_b');
  t.equal(writtenLabelName('a:b'), '"a:b"');
  t.equal(writtenSeries('my.metric', `${writtenLabelName('label.name')}="x"`), '{"my.metric","label.name"="x"}');
});

/** Reads `U__…` back; null if it is none. */
function readValues(escaped: string): string | null {
  if (!escaped.startsWith('U__')) return null;
  const codes = escaped.slice(3).matchAll(/__|_([0-9a-f]{1,6})_|[^_]/gy);
  return Array.from(codes, ([all, hex]) =>
    hex ? String.fromCodePoint(Number.parseInt(hex, 16)) : all === '__' ? '_' : all,
  ).join('');
}

const anyName = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'a_.19:Ué2dot花'), minLength: 1, maxLength: 12 }),
);

t.test('what comes out is legal', async () => {
  fc.assert(
    fc.property(anyName, fc.constantFrom('underscores', 'dots', 'values'), (name, escaping) => {
      if (!isLegacyMetricName(metricName(name, escaping))) throw new Error(metricName(name, escaping));
      if (!isLegacyLabelName(labelName(name, escaping))) throw new Error(labelName(name, escaping));
    }),
  );
});

t.test('values can be read back', async () => {
  fc.assert(
    fc.property(anyName, (given) => {
      const name = given.toWellFormed();
      // A name that looks escaped already is the one kind that can meet another.
      fc.pre(!name.startsWith('U__'));
      const escaped = metricName(name, 'values');
      if ((readValues(escaped) ?? escaped) !== name) throw new Error(`${name}: ${escaped}`);
      const label = labelName(name, 'values');
      if ((readValues(label) ?? label) !== name) throw new Error(`${name}: ${label}`);
    }),
  );
});

t.test('dots can be read back from names of the old charset and dots', async () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z_:.][a-zA-Z0-9_:.]{0,30}$/), (name) => {
      const escaped = escapeName(name, 'dots');
      const read = escaped.replaceAll(/_dot_|__/g, (found) => (found === '__' ? '_' : '.'));
      if (read !== name) throw new Error(`${name}: ${escaped}`);
    }),
  );
});

t.test('over-long names are cut, and stay apart', async (t) => {
  const long = 'é'.repeat(1_000_000);
  for (const escaping of ['underscores', 'dots', 'values', 'allow-utf-8'] as const) {
    t.ok(metricName(long, escaping).length <= 8 * NAME_LIMIT + 3, escaping);
    t.not(metricName(long, escaping), metricName(`${long}x`, escaping), escaping);
  }
  t.equal(metricName('a'.repeat(NAME_LIMIT), 'values'), 'a'.repeat(NAME_LIMIT));
  t.match(labelName('a'.repeat(NAME_LIMIT + 1), 'values'), /^a{243}_[0-9a-f]{12}$/);
});

t.test('label texts are read back', async (t) => {
  t.same(readLabelText(''), []);
  t.same(readLabelText('"label.\\"name"="x",b="\\\\n\\n"'), [
    ['label."name', 'x'],
    ['b', '\\n\n'],
  ]);
  for (const wrong of ['a', 'a="', 'a="b",', 'a="b"c="d"', 'a="\\x"', ',a="b"', 'a=b', '1="x"', 'a="b"\n', 'a.b="c"']) {
    t.throws(() => readLabelText(wrong), /^character [0-9]+: found .*, wanted name="value"$/m, wrong);
  }
  t.throws(() => readLabelText('a="b",c'), { message: 'character 6: found "c", wanted name="value"' });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[a-z_][a-z0-9_]{0,5}$/), fc.string({ unit: 'binary' }))),
      (given) => {
        const labels = given
          .map(([name, value]): Label => [name, value.toWellFormed()])
          .filter(([, value]) => value !== '');
        const read = readLabelText(labelText(labels));
        if (JSON.stringify(read) !== JSON.stringify(labels)) throw new Error(JSON.stringify(read));
      },
    ),
  );
});
