import { createHash } from 'node:crypto';
import t from 'tap';
import type { SourceStatus } from '../../src/core/source-figures.ts';
import type { Status } from '../../src/core/status.ts';
import type { WriterStatus } from '../../src/core/writer.ts';
import { pageHeaders, pageOptions, renderPage } from '../../src/server/page.ts';
import { age, bytes, count, foreign, seconds } from '../../src/server/page-text.ts';

const now = Date.parse('2026-05-09T10:12:45Z');
const still = { refresh: null };

function source(fields: Partial<SourceStatus>): SourceStatus {
  return {
    name: 'reaction',
    type: 'reaction',
    state: 'reading',
    problem: null,
    since: now - 60_000,
    events: 0,
    rejected: 0,
    rate: 0,
    lag: null,
    lastEvent: null,
    lastError: null,
    remarks: [],
    ...fields,
  };
}

function writer(fields: Partial<WriterStatus>): WriterStatus {
  return {
    name: 'influx',
    type: 'influx',
    state: 'idle',
    problem: null,
    since: now - 60_000,
    events: 0,
    rate: 0,
    dropped: 0,
    queue: { events: 0, bytes: 0, limit: 1024 ** 3 },
    lastError: null,
    deadLetters: null,
    ...fields,
  };
}

function status(fields: Partial<Status>): Status {
  const version = { name: 'trailgauge', version: '1.2.3', revision: 'abc', node: 'v20.0.0' };
  return {
    version,
    started: now - 90_000,
    now,
    problem: null,
    sources: [],
    writers: [],
    metrics: [],
    top: [],
    scrapers: [],
    ...fields,
  };
}

/** What a reader sees: without tags, style and head. */
function textOf(html: string): string {
  return html
    .slice(html.indexOf('<body>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

t.test('each state of a source is told in words', async (t) => {
  for (const state of ['starting', 'reading', 'waiting', 'ended'] as const) {
    const problem = state === 'waiting' ? '/var/log/reaction.log does not exist' : null;
    const text = textOf(renderPage(status({ sources: [source({ state, problem })] }), still));
    t.match(text, `${state} for 60 s, since 2026-05-09 10:11:45 UTC`);
    if (problem === null) t.notMatch(text, 'Problem:');
    else t.match(text, `Problem: ${problem}`);
  }
});

t.test('the figures of a source', async (t) => {
  const busy = source({ events: 1_234_567, rejected: 42, rate: 12.34, lag: 0.044, lastEvent: now - 3_000 });
  const failed = source({ lastError: { time: now - 300_000, text: 'cannot read: x' } });
  const first = textOf(renderPage(status({ sources: [busy] }), still));
  for (const figure of ['1,234,567', '12.3', '42', '3 s ago', '44 ms', 'No error since the start.']) {
    // Values stand after their terms in the document, before them on the screen.
    t.match(first, figure);
  }
  const second = textOf(renderPage(status({ sources: [failed] }), still));
  t.match(second, 'Last error, 5 min ago: cannot read: x');
  t.match(second, 'none yet');
  t.match(second, 'not known');
});

t.test('the remarks of a source, those first that ask for something', async (t) => {
  const remarks = [
    { text: 'all is read until 10:00', bad: false },
    { text: 'x.gz is broken', bad: true },
  ];
  const html = renderPage(status({ sources: [source({ remarks })] }), still);
  t.match(textOf(html), /To do: x\.gz is broken all is read until 10:00/);
  t.match(html, '<ul class="note" aria-label="Remarks">');
  t.notMatch(renderPage(status({ sources: [source({})] }), still), '<ul');
});

t.test('each state of a writer is told in words', async (t) => {
  for (const state of ['idle', 'delivering', 'waiting', 'ended'] as const) {
    const problem = state === 'waiting' ? 'connection refused' : null;
    const text = textOf(renderPage(status({ writers: [writer({ state, problem })] }), still));
    t.match(text, /Writers +influx/);
    t.match(text, `${state} for 60 s, since 2026-05-09 10:11:45 UTC`);
    if (problem === null) t.notMatch(text, 'Problem:');
    else t.match(text, `Problem: ${problem}`);
  }
  t.notMatch(renderPage(status({}), still), 'Writers', 'where there is none');
});

t.test('the figures of a writer', async (t) => {
  const queue = { events: 1_234, bytes: 3 * 1024 ** 2, limit: 1024 ** 3 };
  const busy = writer({ events: 7_654_321, rate: 99.94, dropped: 21, queue });
  const first = textOf(renderPage(status({ writers: [busy] }), still));
  for (const figure of [
    'Delivered since the start 7,654,321',
    'Events a second 99.9',
    'Waiting events 1,234',
    'Waiting on disk, of its limit 3 MiB of 1 GiB',
    'Dropped since the start 21',
    'No error since the start.',
  ]) {
    t.match(first, figure);
  }
  t.notMatch(first, 'Nearly full');
  t.notMatch(first, 'Refused events');
  const bad = writer({
    queue: { ...queue, bytes: 0.8 * queue.limit },
    deadLetters: '/var/lib/trailgauge/dead-letter/influx.ndjson',
    lastError: { time: now - 300_000, text: '503' },
  });
  const second = textOf(renderPage(status({ writers: [bad] }), still));
  t.match(second, 'Last error, 5 min ago: 503');
  t.match(second, 'Refused events are kept in /var/lib/trailgauge/dead-letter/influx.ndjson');
  t.match(second, 'Nearly full: over the limit, the oldest events that wait are dropped.');
});

t.test('the verdict says what is wrong, in the title as well', async (t) => {
  const waiting = source({ name: 'reaction/mail', state: 'waiting', problem: 'x' });
  const stuck = writer({ name: 'influx/far', state: 'waiting', problem: 'x' });
  const cases: readonly [Partial<Status>, string, good: boolean][] = [
    [{ sources: [source({})] }, 'the source is being read', true],
    [{ sources: [source({}), source({})] }, 'all sources are being read', true],
    [{ sources: [source({ state: 'starting' })] }, 'starting', true],
    [{ sources: [waiting] }, 'reaction/mail cannot be read', false],
    [{ sources: [waiting, source({})] }, '1 of 2 sources cannot be read', false],
    [{ problem: 'no space left', sources: [source({})] }, 'metrics are withheld: no space left', false],
    [{ sources: [source({})], writers: [writer({})] }, 'the source is being read', true],
    [{ sources: [source({})], writers: [stuck] }, 'influx/far cannot deliver', false],
    [{ sources: [source({})], writers: [writer({}), stuck] }, '1 of 2 writers cannot deliver', false],
    [{ sources: [source({ state: 'starting' })], writers: [stuck] }, 'influx/far cannot deliver', false],
    [{ sources: [waiting], writers: [stuck] }, 'reaction/mail cannot be read, and influx/far cannot deliver', false],
  ];
  for (const [fields, text, good] of cases) {
    const html = renderPage(status(fields), still);
    t.match(html, `<title>${good ? '' : '⚠ '}trailgauge: ${text}</title>`);
    t.match(html, `<p class="verdict ${good ? 'good' : 'bad'}" role="${good ? 'status' : 'alert'}"><bdi>${text}</bdi>`);
  }
});

t.test('nothing that comes from outside becomes markup', async (t) => {
  const hostile = '</style><script>alert(1)</script>"\'&\u202e\0\n<img src=x>';
  const lastError = { time: now, text: hostile };
  const html = renderPage(
    status({
      version: { name: hostile, version: hostile, revision: hostile, node: hostile },
      problem: hostile,
      sources: [
        source({
          name: hostile,
          state: 'waiting',
          problem: hostile,
          lastError,
          remarks: [{ text: hostile, bad: true }],
        }),
      ],
      writers: [writer({ name: hostile, state: 'waiting', problem: hostile, lastError, deadLetters: hostile })],
      metrics: [{ metric: hostile, series: 1, limit: 10, limited: 0 }],
      scrapers: [{ id: hostile, seen: now }],
    }),
    still,
  );
  t.notMatch(html, /<script|<img|alert\(1\)<\/script>/);
  t.equal(html.split('</style>').length, 2);
  t.notMatch(html, '\0');
  t.match(html, '&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;\u202e␀␊&#60;img src=x&#62;</bdi>');
});

t.test('metrics stand in the order of their fullness, those of the program itself apart', async (t) => {
  const metric = (name: string, series: number, limited = 0) => ({ metric: name, series, limit: 10, limited });
  const html = renderPage(
    status({ metrics: [metric('trailgauge_x', 3), metric('b_total', 1), metric('c', 9), metric('a_total', 1)] }),
    still,
  );
  const names = [...html.matchAll(/<th scope="row">(.*?)<\/th>/g)].map((match) => match[1]?.replace(/<[^>]*>/g, ''));
  t.same(names, ['c', 'a_total', 'b_total', 'trailgauge_x']);
  t.match(html, '<details>\n<summary id="own">1 metric of trailgauge itself');
  t.match(html, '<tr class="near"><th scope="row"><bdi>c</bdi>');
  t.match(textOf(html), '9 of 10');
  t.match(renderPage(status({ metrics: [metric('trailgauge_x', 10)] }), still), '<details open>');
  t.match(textOf(renderPage(status({ metrics: [metric('a', 10, 1_500)] }), still)), 'a 10 of 10 1,500');
});

t.test('who collects, the latest first', async (t) => {
  t.match(textOf(renderPage(status({}), still)), 'Nobody has collected yet');
  const scrapers = [
    { id: 'name old', seen: now - 7_300_000 },
    { id: 'name new', seen: now },
  ];
  t.match(textOf(renderPage(status({ scrapers }), still)), 'name new 0 s ago name old 2 h ago');
});

t.test('the policy allows the style of the page and nothing else', async (t) => {
  const html = renderPage(status({}), still);
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = pageHeaders(still)['Content-Security-Policy'] ?? '';
  t.match(policy, `default-src 'none'; style-src 'sha256-${hash}'`);
  t.notMatch(policy, 'unsafe');
  t.notMatch(html, / style=| on[a-z]+=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/, 'nothing from another place');
});

t.test('the page reloads only for who asks', async (t) => {
  t.same(pageOptions('/'), { refresh: null });
  t.same(pageOptions('/?refresh=5'), { refresh: 5 });
  for (const odd of ['0', '-1', '3601', '99999', '5;url=http://x', '']) {
    t.same(pageOptions(`/?refresh=${encodeURIComponent(odd)}`), { refresh: null }, odd);
  }
  t.notOk('Refresh' in pageHeaders(still));
  t.equal(pageHeaders({ refresh: 5 }).Refresh, '5');
  t.match(renderPage(status({}), still), '<a href="?refresh=5">Update every 5 s</a>');
  t.match(renderPage(status({}), { refresh: 7 }), '<a href="./">Stop updating every 7 s</a>');
});

t.test('numbers and times', async (t) => {
  t.same([0, 119_400, 120_000, 7_200_000, 172_800_000].map(age), ['0 s', '119 s', '2 min', '2 h', '2 d']);
  t.equal(age(-5), '0 s');
  t.same([0, 0.0444, 0.9994, 0.9996, 9.94, 90, 4_000].map(seconds), [
    '0 ms',
    '44 ms',
    '999 ms',
    '1.0 s',
    '9.9 s',
    '90 s',
    '67 min',
  ]);
  t.equal(count(1_234.56, 1), '1,234.6');
  t.same([0, 1, 1_023, 1_024, 1_536, 10_240, 1024 ** 3, 5 * 1024 ** 5].map(bytes), [
    '0 B',
    '1 B',
    '1,023 B',
    '1 KiB',
    '1.5 KiB',
    '10 KiB',
    '1 GiB',
    '5,120 TiB',
  ]);
  t.equal(foreign('a\u0085\ud800'), '<bdi>a\ufffd\ufffd</bdi>');
});

t.test('the most frequent values, whatever they are', async (t) => {
  const labels = [
    ['stream', 'ssh'],
    ['pattern', '<b>'],
  ] as const;
  const values = [
    { value: '<script>alert(1)</script>', count: 1_234 },
    { value: '198.51.100.7', count: 7 },
  ];
  const html = renderPage(status({ top: [{ metric: 'reaction_pattern_top', labels, values }] }), still);
  t.notMatch(html, '<script>');
  t.match(textOf(html), 'Most frequent values');
  t.match(textOf(html), /1,234 198\.51\.100\.7 7/);
  t.notMatch(renderPage(status({}), still), 'Most frequent values');
});
