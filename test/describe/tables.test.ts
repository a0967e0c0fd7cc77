import t from 'tap';
import { flag, integer, option, section } from '../../src/core/fields.ts';
import { counter, gauge, histogram, since } from '../../src/core/metrics/define.ts';
import {
  metricRow,
  metricsMarkdown,
  metricsTable,
  optionsMarkdown,
  sourcesMarkdown,
} from '../../src/describe/tables.ts';
import { defaultValues, isSection, optionRows, readSection } from '../../src/describe/walk.ts';

const ROWS = [
  metricRow(counter('hits_total', 'Hits.', ['path', 'code']), 'web'),
  metricRow(gauge('up', '1 if it is up.', []), '-'),
  metricRow(histogram('seconds', 'Time | spent.', [], [1, 2]), 'web'),
  metricRow(since('recent', 'Hits since.', ['path'], 'one per pattern'), 'web'),
];

t.test('rows of the catalogue', async (t) => {
  t.same(ROWS[0], { name: 'hits_total', type: 'counter', labels: ['path', 'code'], help: 'Hits.', source: 'web' });
  t.match(ROWS[3], { type: 'gauge', labels: ['path', '… one per pattern'] }, 'a gauge to Prometheus');
});

t.test('as columns for a terminal', async (t) => {
  t.equal(
    metricsTable(ROWS),
    `NAME        TYPE       SOURCE  LABELS                  HELP
hits_total  counter    web     path,code               Hits.
up          gauge      -       -                       1 if it is up.
seconds     histogram  web     -                       Time | spent.
recent      gauge      web     path,… one per pattern  Hits since.
`,
  );
});

t.test('in Markdown', async (t) => {
  t.equal(
    metricsMarkdown(ROWS),
    `| name | type | labels | what it tells |
| --- | --- | --- | --- |
| \`hits_total\` | counter | \`path\`, \`code\` | Hits. |
| \`up\` | gauge |  | 1 if it is up. |
| \`seconds\` | histogram |  | Time \\| spent. |
| \`recent\` | gauge | \`path\`, … one per pattern | Hits since. |
`,
  );
});

t.test('options and sources in Markdown', async (t) => {
  const schema = section('', { port: option(integer(1, 9), 3, 'Port.'), on: option(flag(), true, 'A | B.') });
  t.equal(
    optionsMarkdown([['listen', schema]]),
    `| option | value | default | what it does |
| --- | --- | --- | --- |
| \`listen.port\` | integer | \`3\` | Port. |
| \`listen.on\` | boolean | \`true\` | A \\| B. |
`,
  );
  t.equal(
    sourcesMarkdown([{ type: 'web', summary: 'A server.', replay: 'Read again.' }]).split('\n')[2],
    '| `web` | A server. | Read again. |',
  );
});

t.test('the tree of a section', async (t) => {
  const schema = section('All.', {
    port: option(integer(1, 9), 3, 'Port.'),
    inner: section('Inside.', { deep: section('Deeper.', { on: option(flag(), false, 'Switch.') }) }),
  });
  const tree = readSection(schema);
  t.equal(tree.doc, 'All.');
  t.same(
    tree.entries.map(([key, entry]) => [key, isSection(entry)]),
    [
      ['port', false],
      ['inner', true],
    ],
  );
  t.same(
    [...optionRows(tree)],
    [
      { path: ['port'], kind: 'integer', fallback: 3, doc: 'Port.' },
      { path: ['inner', 'deep', 'on'], kind: 'boolean', fallback: false, doc: 'Switch.' },
    ],
  );
  t.same(defaultValues(tree), { port: 3, inner: { deep: { on: false } } });
  t.same(schema.parse({}), defaultValues(tree), 'what the documents say is what the schema does');
});
