import t from 'tap';
import { elasticsearch } from '../../../src/writers/elasticsearch/index.ts';
import { configOf, openWriter } from '../../support/writers.ts';

t.test('sections as they are meant', async (t) => {
  t.match(configOf(elasticsearch, {}), { url: null, index: null, documents: 'event', template: 'auto', batch: 1_000 });
  for (const section of [
    { url: 'es:9200' },
    { url: 'localhost' },
    { url: 'https://es.example.org/insert/elasticsearch?_time_field=@timestamp', index: 'Logs.2' },
    { username: 'kim', password: { env: 'X' } },
    { api_key: 'a2V5', template: false },
    { template: { priority: 1 } },
  ]) {
    t.match(configOf(elasticsearch, section), section);
  }
});

t.test('mistakes', async (t) => {
  const cases: readonly (readonly [section: object, message: string | RegExp])[] = [
    [{ username: 'k', password: 'p', api_key: 'a' }, 'api_key: found both username and api_key, wanted one of them'],
    [{ username: 'k' }, 'password: found username without password, wanted both'],
    [{ password: 'p' }, 'username: found password without username, wanted both'],
    [{ url: 'http://kim:x@es:9200' }, /^url: found user or password in the address/],
    [{ url: 'es:9200/_bulk' }, 'url: found the end point /_bulk, wanted the address before it'],
    [{ url: 'ftp://es' }, 'url: wanted an address such as http://localhost:9200'],
    [{ url: '' }, 'url: wanted an address such as http://localhost:9200'],
    [{ template: 'x' }, 'template: wanted auto, false or a map, the body of an index template'],
    ...['', '.', '..', '-a', '_a', '+a', 'a b', 'a*', 'a/b', 'a,b', 'a#b', 'a"', 'x'.repeat(256)].map(
      (index) => [{ index }, /^index: wanted the name of an index/] as const,
    ),
  ];
  for (const [section, message] of cases) {
    t.throws(() => configOf(elasticsearch, section), { message }, JSON.stringify(section));
  }
});

t.test('what the environment says is looked at when the writer is opened', async (t) => {
  const open = (env: NodeJS.ProcessEnv) => () => openWriter(t, elasticsearch, {}, { env });
  t.match(open({})(), { problem: /^found neither url nor \$ES_HOST, wanted an address/ });
  t.throws(open({ ES_HOST: 'http://kim:secret@:x' }), {
    message: '$ES_HOST: found no address, wanted one such as http://localhost:9200',
  });
  t.throws(open({ ES_HOST: 'es', ES_INDEX: 'a b' }), { message: /^\$ES_INDEX: found "a b", wanted the name/ });
  t.doesNotThrow(open({ ES_HOST: 'kim:secret@es:9200' }));
});
