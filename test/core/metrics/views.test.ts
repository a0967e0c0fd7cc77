import t from 'tap';
import { counter, gauge, histogram, since } from '../../../src/core/metrics/define.ts';
import { expose } from '../../../src/core/metrics/exposition.ts';
import type { Escaping } from '../../../src/core/metrics/negotiate.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { restoreSeries, takeSeries } from '../../../src/core/metrics/saved.ts';
import { Scrapers } from '../../../src/core/metrics/scrape.ts';
import type { View } from '../../../src/core/metrics/view.ts';
import { MemoryCells } from '../../support/cells.ts';
import { exposed } from '../../support/exposition.ts';
import { readFamilies } from '../../support/protobuf.ts';

const CATALOGUE = {
  hits: counter('hits_total', 'Hits.', ['who']),
  level: gauge('level_bytes', 'Level.', ['who'], 'any'),
  took: histogram('took_seconds', 'Took.', ['who'], [0.5, 2]),
  seen: since('seen_count', 'Seen.', ['who'], 'any'),
};

function filled(): Registry {
  const registry = new Registry({ seriesLimit: 100 });
  registry.time = 1_000;
  const { hits, level, took, seen } = registry.register('o', CATALOGUE, [['cloud.region', 'é"']]);
  hits.inc({ who: 'a"b' }, 3);
  level.replace([[{ who: 'x' }, 0.5, [['my.name', '1']]]]);
  took.observe({ who: 'y' }, 1);
  seen.series({ who: 'z' }, [['my.name', '2']]).inc();
  return registry;
}

/** The first sample of a text exposition whose line begins so. */
async function sample(start: string, view: View): Promise<string | undefined> {
  const text = await exposed(filled(), { view });
  return text.split('\n').find((line) => line.startsWith(start));
}

t.test('names that the old charset does not have are shown as the scraper can take them', async (t) => {
  const wanted: Readonly<Record<Escaping, string>> = {
    underscores: 'cloud_region',
    dots: 'cloud_dot_region',
    values: 'U__cloud_2e_region',
    'allow-utf-8': '"cloud.region"',
  };
  for (const [escaping, name] of Object.entries(wanted) as [Escaping, string][]) {
    for (const format of ['text', 'openmetrics'] as const) {
      const hits = await sample('hits_total', { format, escaping });
      t.equal(hits, `hits_total{who="a\\"b",${name}="é\\""} 3`);
    }
    const label = name.replace('cloud', 'my').replace('region', 'name');
    const view = { format: 'text', escaping } as const;
    t.equal(await sample('level', view), `level_bytes{who="x",${name}="é\\"",${label}="1"} 0.5`);
    t.equal(await sample('seen', view), `seen_count{who="z",${name}="é\\"",${label}="2"} 1`);
  }
});

t.test('one registry is shown in all views at once', async (t) => {
  const registry = filled();
  const views = (['underscores', 'allow-utf-8'] as const).map((escaping) => ({ format: 'text', escaping }) as const);
  const [one, other] = await Promise.all(views.map((view) => exposed(registry, { view })));
  t.match(one, /cloud_region/);
  t.notMatch(one, /cloud\.region/);
  t.match(other, /"cloud\.region"/);
});

t.test('protobuf shows the same as text', async (t) => {
  const registry = filled();
  const collection = new Scrapers(registry, 0).begin('a', 0);
  const view = { format: 'protobuf', escaping: 'underscores' } as const;
  const { pieces } = await expose(registry, { view, collection, idleMs: 0, now: 1_000 });
  const families = readFamilies(Buffer.concat(pieces));
  t.same(
    families.map(({ name, type, unit, metrics }) => [name, type, unit, metrics[0]?.labels, metrics[0]?.value]),
    [
      [
        'hits_total',
        0,
        undefined,
        [
          ['who', 'a"b'],
          ['cloud_region', 'é"'],
        ],
        3,
      ],
      [
        'level_bytes',
        1,
        'bytes',
        [
          ['who', 'x'],
          ['cloud_region', 'é"'],
          ['my_name', '1'],
        ],
        0.5,
      ],
      [
        'took_seconds',
        4,
        'seconds',
        [
          ['who', 'y'],
          ['cloud_region', 'é"'],
        ],
        undefined,
      ],
      [
        'seen_count',
        1,
        undefined,
        [
          ['who', 'z'],
          ['cloud_region', 'é"'],
          ['my_name', '2'],
        ],
        1,
      ],
    ],
  );
  t.equal(families[0]?.metrics[0]?.created, 1_000);
  t.match(families[2]?.metrics[0]?.histogram?.get(1), [1n], 'one was observed');
});

t.test('a series that was born since is shown at 0 once, in protobuf too', async (t) => {
  const registry = filled();
  const scrapers = new Scrapers(registry, 0);
  const view = { format: 'protobuf', escaping: 'underscores' } as const;
  const scrape = async () => {
    const collection = scrapers.begin('a', 0);
    const { pieces } = await expose(registry, { view, collection, idleMs: 0, now: 1_000 });
    collection.delivered();
    const [hits, , took] = readFamilies(Buffer.concat(pieces));
    return [hits?.metrics.map(({ value }) => value), took?.metrics.map(({ histogram }) => histogram?.get(1)?.[0])];
  };
  t.same(await scrape(), [[3], [1n]]);
  const { hits, took } = registry.register('o', CATALOGUE, [['cloud.region', 'é"']]);
  hits.inc({ who: 'new' }, 5);
  took.observe({ who: 'new' }, 1);
  t.same(await scrape(), [
    [3, 0],
    [1n, 0n],
  ]);
  t.same(await scrape(), [
    [3, 5],
    [1n, 1n],
  ]);
});

t.test('native histograms in protobuf, over a restart', async (t) => {
  const disk = new MemoryCells();
  const life = () => {
    const registry = new Registry({ seriesLimit: 100, nativeHistograms: true });
    const { took } = registry.register('o', CATALOGUE);
    restoreSeries(registry, disk.load());
    return { registry, took };
  };
  const view = { format: 'protobuf', escaping: 'underscores' } as const;
  const histogramOf = async (registry: Registry) => {
    const collection = new Scrapers(registry, 0).begin('a', 0);
    const { pieces } = await expose(registry, { view, collection, idleMs: 0, now: 1_000 });
    const took = readFamilies(Buffer.concat(pieces)).find(({ name }) => name === 'took_seconds');
    return took?.metrics[0]?.histogram;
  };
  const first = life();
  for (const value of [0.5, 1, 1, 4]) first.took.observe({ who: 'x' }, value);
  const shown = await histogramOf(first.registry);
  t.same([shown?.get(1), shown?.get(3)], [[4n], undefined], 'four values, and no classic buckets');
  t.match(await exposed(first.registry), /took_seconds_bucket\{who="x",le="2"\} 3/, 'text has them');
  disk.save(takeSeries(first.registry));
  const second = life();
  t.same(await histogramOf(second.registry), shown);
  second.took.observe({ who: 'x' }, 4);
  t.same((await histogramOf(second.registry))?.get(1), [5n]);
  t.same(takeSeries(second.registry).filter(([[kind]]) => kind === 'native').length, 1);
});
