import t from 'tap';
import { serverOf, templateBody } from '../../../src/writers/elasticsearch/template.ts';

function answer(version: unknown): string {
  return JSON.stringify({ name: 'n', cluster_name: 'c', version, tagline: 't' });
}

t.test('what a server is', async (t) => {
  const cases: readonly (readonly [text: string, kind: string, major: number, minor: number])[] = [
    [answer({ number: '8.13.4', build_flavor: 'default' }), 'elasticsearch', 8, 13],
    [answer({ number: '7.10.2', build_flavor: 'oss' }), 'elasticsearch', 7, 10],
    [answer({ distribution: 'opensearch', number: '2.19.1' }), 'opensearch', 2, 19],
    [answer({ distribution: 'opensearch', number: '3.0.0-beta1' }), 'opensearch', 3, 0],
    [answer({ number: 'x' }), 'other', 0, 0],
    [answer('0.4.10'), 'other', 0, 0],
    [answer(null), 'other', 0, 0],
    ['null', 'other', 0, 0],
    ['', 'other', 0, 0],
    ['<html>', 'other', 0, 0],
  ];
  for (const [text, kind, major, minor] of cases) t.match(serverOf(text), { kind, major, minor }, text);
  t.equal(serverOf(cases[1]?.[0] ?? '').oss, true);
});

t.test('a template', async (t) => {
  const body = templateBody('trails', serverOf(answer({ number: '8.13.4' })));
  t.match(body, {
    index_patterns: ['trails*'],
    priority: 200,
    template: {
      mappings: {
        properties: {
          '@timestamp': { type: 'date_nanos' },
          event: { properties: { action: { type: 'keyword' } } },
          user: { properties: { name: { type: 'keyword' } } },
          source: { properties: { ip: { type: 'ip', ignore_malformed: true } } },
          message: { type: 'text' },
          raw: { type: 'flattened', ignore_above: 8191 },
        },
      },
    },
  });
  t.match(JSON.stringify(body), '"path_match":"labels.*"');
});

t.test('the record is one field everywhere', async (t) => {
  const mapping = (version: unknown) => {
    const { template } = templateBody('x', serverOf(answer(version))) as {
      readonly template: { readonly mappings: { readonly properties: Readonly<Record<string, unknown>> } };
    };
    return template.mappings.properties;
  };
  const none = { type: 'object', enabled: false };
  t.same(mapping({ number: '7.10.2', build_flavor: 'oss' }).raw, none);
  t.same(mapping({ number: '7.2.0' }).raw, none);
  t.same(mapping({ number: '7.3.0' }).raw, { type: 'flattened', ignore_above: 8191 });
  t.same(mapping({ number: '2.7.0', distribution: 'opensearch' }).raw, { type: 'flat_object' });
  t.same(mapping({ number: '2.6.0', distribution: 'opensearch' }).raw, none);
  t.same(mapping({}).raw, none);
  t.same(mapping({})['@timestamp'], { type: 'date' });
});
