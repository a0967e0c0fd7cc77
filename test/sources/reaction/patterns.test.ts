import { pino } from 'pino';
import t from 'tap';
import { NO_ADDRESSES } from '../../../src/core/addresses.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { reactionConfig } from '../../../src/sources/reaction/config.ts';
import { parsePrinted } from '../../../src/sources/reaction/documents.ts';
import { splitLines } from '../../../src/sources/reaction/lines.ts';
import { REACTION_METRICS } from '../../../src/sources/reaction/metrics.ts';
import { Observer, type ObserverOptions } from '../../../src/sources/reaction/observe.ts';
import { type Observed, unobserved } from '../../../src/sources/reaction/observed.ts';
import { openReaction } from '../../../src/sources/reaction/open.ts';
import { parseLine } from '../../../src/sources/reaction/parse.ts';
import { readSettings } from '../../../src/sources/reaction/settings.ts';
import { compileTransforms, type TransformConfig } from '../../../src/sources/reaction/transform.ts';
import { show } from '../../support/exposition.ts';
import { fixture } from '../../support/paths.ts';

/** A filter of one pattern, and one of three; values come in the order of the patterns' names. */
function settings(one = 'ip', three: readonly string[] = ['email', 'ip', 'stream']) {
  const patterns = Object.fromEntries([one, ...three].map((name) => [name, { regex: '.*' }]));
  const filters = {
    login: { regex: [`<${one}>`], actions: {} },
    two: { regex: [three.map((name) => `<${name}>`).join(' ')], actions: {} },
  };
  return readSettings(parsePrinted(JSON.stringify({ patterns, streams: { ssh: { cmd: ['x'], filters } } })));
}

const HOUR = 3_600_000;
/** Within the last slice of a window. */
const NOW = 1_000 * 24 * HOUR + 60_000;

function create(more: Partial<ObserverOptions> & { readonly transform?: TransformConfig } = {}) {
  const { transform = {}, ...options } = more;
  const registry = new Registry({ seriesLimit: 1_000 });
  registry.time = NOW;
  const observer = new Observer({
    metrics: registry.register('reaction', REACTION_METRICS),
    holdMs: 0,
    matches: 'patterns',
    actions: 'patterns',
    top: 20,
    distinct: true,
    commands: true,
    streams: true,
    transforms: compileTransforms(transform, () => {}),
    onHeld: () => {},
    onStart: () => {},
    ...options,
  });
  observer.configure(settings());
  const known = new Map<string, Observed>();
  /** One line is one object, as the reader of the log has it. */
  const feed = (text: string, time: number | null = null, v1 = false) => {
    const parsed = parseLine(text, v1);
    if (parsed === null || 'rejected' in parsed) throw new Error(`no event: ${text}`);
    const seen = known.get(text) ?? unobserved(parsed);
    known.set(text, seen);
    observer.observe(seen, { text, v1, time });
  };
  /** Top values as `filter pattern value` and different ones as `filter pattern`. */
  const shown = async (now = NOW) => {
    observer.settle();
    const all = Object.entries(await show(registry, { now })).filter(([series]) => series.includes('_pattern_'));
    return Object.fromEntries(
      all.map(([series, value]) => {
        const labels = [...series.matchAll(/(?:filter|pattern|value)="((?:[^"\\]|\\.)*)"/g)].map(([, label]) => label);
        return [`${series.includes('_distinct') ? 'different ' : ''}${labels.join(' ')}`, value];
      }),
    );
  };
  return { registry, observer, feed, shown };
}

const match = (value: string) => `INFO ssh.login: match [${JSON.stringify(value)}]`;

t.test('the values of each pattern of each filter, of matches alone', async (t) => {
  const { registry, feed, shown } = create();
  t.same(await shown(), {}, 'nothing at 0');
  feed('INFO ssh.two: match ["a@b.c", "192.0.2.1", "sshd"]');
  feed('INFO ssh.two: match ["x@b.c", "192.0.2.1", "sshd"]');
  feed(match('192.0.2.1'));
  feed('INFO ssh.login: match [192.0.2.2]', null, true);
  feed('INFO ssh.login.ban: run ["ban" "192.0.2.9"]');
  feed('INFO stop command: run ["192.0.2.9"]');
  feed('INFO ssh.other: match ["192.0.2.9"]');
  feed('INFO ssh.two: match ["does", "not fit"]');
  feed('INFO ssh.login: match []');
  t.same(await shown(), {
    'login ip 192.0.2.1': 1,
    'login ip 192.0.2.2': 1,
    'two stream sshd': 2,
    'two email a@b.c': 1,
    'two email x@b.c': 1,
    'two ip 192.0.2.1': 2,
    'different login ip': 2,
    'different two stream': 1,
    'different two email': 2,
    'different two ip': 1,
  });
  t.equal((await show(registry, { now: NOW }))['reaction_matches_total{stream="ssh",filter="login"}'], 3);
});

t.test('after transform; what is dropped, or becomes nothing, is in neither', async (t) => {
  const { feed, shown } = create({
    transform: {
      all: { email: '{{last (split email "@")}}', ip: false },
      for: { ssh: { two: { stream: '{{#if (eq stream "x")}}{{stream}}{{/if}}', ip: true } } },
    },
  });
  for (const name of ['a', 'b', 'a']) feed(`INFO ssh.two: match ["${name}@b.c", "192.0.2.1", "${name}"]`);
  feed('INFO ssh.two: match ["", "", "c"]');
  feed(match('192.0.2.1'));
  const found = await shown();
  for (const name of Object.keys(found)) if (name.includes('stream')) delete found[name];
  t.same(found, { 'two email b.c': 3, 'two ip 192.0.2.1': 3, 'different two email': 1, 'different two ip': 1 });
});

t.test('the last 24 hours of the lines', async (t) => {
  const { feed, shown } = create();
  const ages = [-HOUR, 0, 1, HOUR, 23 * HOUR, 23.7 * HOUR, 24 * HOUR, 25 * HOUR, 24 * 365 * HOUR, NOW];
  for (const age of ages) feed(match('dated'), NOW - age);
  feed(match('dated'), null);
  feed(match('broken'), Number.NaN);
  t.same(await shown(), { 'login ip dated': 7, 'different login ip': 1 });
  t.same(await shown(NOW + HOUR), { 'login ip dated': 5, 'different login ip': 1 }, 'the oldest have left');
  t.same(await shown(NOW + 23 * HOUR), { 'login ip dated': 4, 'different login ip': 1 }, 'the future was now');
  t.same(await shown(NOW + 24 * HOUR), {});
});

t.test('lines without a time count at the end of the batch, as often as they came', async (t) => {
  const { registry, observer, feed, shown } = create();
  const counts = new Map<string, number>();
  for (let i = 0; i < 5_000; i++) {
    const value = `v${(i * i) % 23}`;
    feed(match(value), i % 7 === 0 ? NOW : null);
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (i % 900 === 0) observer.settle();
  }
  const waiting = await show(registry, { now: NOW });
  t.ok((waiting['reaction_pattern_top{stream="ssh",filter="login",pattern="ip",value="v0"}'] ?? 0) > 0);
  for (let i = 0; i < 3; i++) observer.settle();
  const wanted = [...counts].map(([value, count]) => [`login ip ${value}`, count] as const);
  t.same(await shown(), { ...Object.fromEntries(wanted), 'different login ip': counts.size });
  const all = await show(registry, { now: NOW });
  t.equal(all['reaction_matches_total{stream="ssh",filter="login"}'], 5_000);
});

t.test('a configuration that changes in the middle of a batch', async (t) => {
  const { observer, feed, shown } = create();
  for (let i = 0; i < 3; i++) feed(match('a'));
  feed(match('gone'));
  feed('INFO ssh.two: match ["a", "b", "c"]');
  observer.configure(settings('address', ['a', 'email', 'z']));
  for (let i = 0; i < 4; i++) feed(match('a'));
  feed('INFO ssh.two: match ["a", "b", "c"]');
  observer.configure(settings('ip', ['ip']));
  for (let i = 0; i < 5; i++) feed(match('a'));
  feed('INFO ssh.two: match ["a", "b", "c"]');
  feed('INFO ssh.two: match ["a"]');
  t.same(await shown(), {
    'login ip a': 8,
    'login ip gone': 1,
    'login address a': 4,
    'two email a': 1,
    'two ip b': 1,
    'two stream c': 1,
    'two a a': 1,
    'two email b': 1,
    'two z c': 1,
    'two ip a': 1,
    'different login ip': 2,
    'different login address': 1,
    'different two email': 2,
    'different two ip': 2,
    'different two stream': 1,
    'different two a': 1,
    'different two z': 1,
  });
});

t.test('what is not wanted', async (t) => {
  const cases: readonly (readonly [Partial<ObserverOptions>, Readonly<Record<string, number>>])[] = [
    [{ top: 0 }, { 'different login ip': 3 }],
    [{ distinct: false }, { 'login ip a': 2, 'login ip b': 1, 'login ip c': 1 }],
    [{ top: 0, distinct: false }, {}],
    [{ top: 2 }, { 'login ip a': 2, 'login ip b': 1, 'different login ip': 3 }],
  ];
  for (const [options, wanted] of cases) {
    for (const matches of ['off', 'plain', 'patterns'] as const) {
      const { feed, shown } = create({ ...options, matches });
      for (const value of ['a', 'b', 'a', 'c']) feed(match(value));
      t.same(await shown(), wanted, `${JSON.stringify(options)}, matches ${matches}`);
    }
  }
});

t.test('a line that is read a hundred thousand times is kept and looked up once', async (t) => {
  const registry = new Registry({ seriesLimit: 1_000 });
  registry.time = NOW;
  const metrics = registry.register('reaction', REACTION_METRICS);
  let tracked = 0;
  const { patternTop } = metrics;
  const opened = openReaction(
    reactionConfig.parse({
      command: fixture('reaction/reaction'),
      logs: { file: '/none' },
      export: { matches: false },
    }),
    {
      name: 'reaction',
      metrics: {
        ...metrics,
        patternTop: {
          series: (labels, n) => {
            const series = patternTop.series(labels, n);
            const track = (value: string) => {
              tracked += 1;
              return series.track(value);
            };
            return { ...series, track };
          },
        },
      },
      aside: metrics,
      env: {},
      events: false,
      log: pino({ level: 'silent' }),
      report: { problem: () => {}, error: () => {}, duplicate: () => {} },
      now: () => NOW,
      follow: false,
      range: { since: null, until: null },
      addresses: NO_ADDRESSES,
      signal: new AbortController().signal,
    },
  );
  await opened.prepare?.();
  const lines = Buffer.from('INFO ssh.failedlogin: match ["192.0.2.1"]\n'.repeat(100_000));
  const items = new Set<unknown>();
  for (const line of splitLines(lines, 0, { origin: { cursor: '' }, time: null, now: NOW })) {
    const item = opened.parse(line) as Observed;
    opened.observe(item, line);
    items.add(item);
  }
  opened.settle?.();
  await opened.close?.();
  t.equal(items.size, 1);
  t.equal(tracked, 1);
  const labels = 'stream="ssh",filter="failedlogin",pattern="ip"';
  const shown = await show(registry, { now: NOW });
  t.equal(shown[`reaction_pattern_top{${labels},value="192.0.2.1"}`], 100_000);
  t.equal(shown[`reaction_pattern_distinct{${labels}}`], 1);
});
