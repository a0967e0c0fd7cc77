import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { isRejected, type SourceContext } from '../../../src/core/source.ts';
import { ctsConfig } from '../../../src/sources/cts/config.ts';
import { ctsItem } from '../../../src/sources/cts/item.ts';
import { CTS_METRICS } from '../../../src/sources/cts/metrics.ts';
import { openCts } from '../../../src/sources/cts/open.ts';
import { show } from '../../support/exposition.ts';
import { ctsError, type FakeCts, startFakeCts } from '../../support/fake-cts.ts';
import { ctsTrace } from '../../support/fake-cts-client.ts';

/** The source as the program opens it, with what it reports. */
function rig(t: Test, config: unknown) {
  const registry = new Registry({ seriesLimit: 1_000 });
  registry.time = Date.now();
  const metrics = registry.register('cts', CTS_METRICS);
  const stop = new AbortController();
  const problems: (string | null)[] = [];
  const errors: string[] = [];
  const context: SourceContext<typeof CTS_METRICS> = {
    name: 'cts',
    metrics,
    aside: metrics,
    log: pino({ level: 'silent' }),
    env: {},
    report: {
      problem: (text) => problems.push(text),
      error: (text) => errors.push(text),
      duplicate: () => t.fail('duplicates are told by parse'),
    },
    now: Date.now,
    follow: true,
    events: false,
    range: { since: null, until: null },
    addresses: { lookup: () => null } as unknown as SourceContext<typeof CTS_METRICS>['addresses'],
    signal: stop.signal,
  };
  const source = openCts(ctsConfig.parse(config), context);
  t.teardown(async () => {
    stop.abort();
    await source.close?.();
  });
  /** Reads until there is nothing wrong any more, and gives how many traces were counted. */
  const readWhole = async () => {
    let counted = 0;
    for await (const { items } of source.read(null)) {
      for (const raw of items) {
        const trace = source.parse(raw);
        if (!trace || isRejected(trace)) continue;
        source.observe(trace, raw);
        counted += 1;
      }
      if (problems.at(-1) === null) break;
    }
    return counted;
  };
  return { source, problems, errors, readWhole, shown: () => show(registry, { now: Date.now() }) };
}

async function service(t: Test, count: number): Promise<FakeCts> {
  const fake = await startFakeCts(t);
  const now = Date.now();
  for (let number = 0; number < count; number++) fake.add(ctsTrace(number, now - 1_000 * number));
  return fake;
}

t.test('it is up after a poll that read its whole window, and not before', async (t) => {
  const fake = await service(t, 450);
  let asked = 0;
  fake.chance = (kind) => (kind === 'list_traces' && ++asked === 2 ? ctsError(500, 'CTS.0005') : null);
  const { problems, errors, readWhole } = rig(t, { auth: fake.auth, since: '1h', interval: '1ms' });
  t.ok((await readWhole()) >= 450);
  t.equal(errors.length, 1);
  t.match(problems, [/^list_traces: HTTP 500 CTS\.0005/, null], 'requests that succeed meanwhile say nothing');
});

t.test('a region that nobody told', async (t) => {
  const fake = await service(t, 1);
  const auth = { token: 'T', project: fake.facts.projectId };
  fake.identity.refusal = () => null;
  const config = { auth, endpoint: fake.url, since: '1h', interval: '1ms', labels: ['region'] };
  const { source, readWhole, shown } = rig(t, config);
  t.equal(await readWhole(), 1);
  t.match(Object.keys(await shown()), /region="unknown"/);
  t.same(source.remarks?.(), [{ text: `reads project ${fake.facts.projectId}`, bad: false }]);
});

t.test('an excerpt shows nothing but ids and names', async (t) => {
  const { source } = rig(t, {});
  const excerpt = (given: unknown) => source.excerpt(ctsItem(given, { at: 0, visible: false }));
  t.equal(excerpt('{"request":"hush"}'), 'a text of 18 characters');
  t.equal(excerpt({ request: 'hush' }), 'members request');
  t.equal(excerpt({}), 'nothing in it');
  t.equal(excerpt(5), '5');
  t.equal(excerpt({ trace_id: 'a', request: 'hush' }), 'trace_id a');
});
