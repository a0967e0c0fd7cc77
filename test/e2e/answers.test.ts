import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { follower, scrape, statusOf, sumOf } from '../support/follower.ts';
import { get } from '../support/http.ts';
import { need, program as pathOf } from '../support/services.ts';
import { type Exposition, parseExposition } from '../support/strict-exposition.ts';

t.setTimeout(120_000);

/** What Prometheus 2 and 3 send. */
const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

/** Browsers as attackers name them, and as reaction writes them. */
const HOSTILE: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['} 1\n# EOF\n', '} 1\\n# EOF\\n'],
  ['x",ip="192.0.2.66', 'x\\",ip=\\"192.0.2.66'],
  ['\0', '\\0'],
  ['\u200b', '\\u{200b}'],
  ['\ufffd', '\\u{d800}'],
  ['ü🦊', 'ü🦊'],
  ['] "] " \'', '] \\"] \\" \''],
  ['\\n', '\\\\n'],
]);

function hostileLines(): readonly string[] {
  return [...HOSTILE.values()].map((browser) => `INFO nginx.browsers: match ["h", "${browser}", "192.0.2.1"]`);
}

function browsersOf(exposition: Exposition): readonly string[] {
  const samples = exposition.families.get('reaction_match_count')?.samples ?? [];
  return samples.flatMap(({ labels }) => labels.get('browser') ?? []).sort();
}

t.test('both formats say the same, whatever the log holds', async (t) => {
  const { start, append, log } = follower(t, { config: { metrics: { runtime: true } } });
  const program = await start();
  await append(program, ...hostileLines());
  appendFileSync(log, 'no level\nWARN what is this\nINFO a.b: match ["\n');
  await append(program, 'ERROR ssh.failedlogin.ban: run ["x"]: exit code: 1', 'INFO n\u00efl.\u201c: match []');
  const ask = (accept: string, scraper: string) =>
    get(`${program.url}/metrics?scraper=${scraper}`, { headers: { accept } });

  const text = await ask('text/plain', 'text');
  t.equal(text.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const plain = parseExposition(text.text);
  t.same(browsersOf(plain), [...HOSTILE.keys()].sort());
  t.equal(sumOf(plain, 'reaction_match_count'), HOSTILE.size + 1, 'no two values became one');
  t.equal(plain.value('trailgauge_source_rejected_total', { source: 'reaction', reason: 'malformed_list' }), 1);
  t.ok(plain.families.has('process_cpu_seconds_total'));

  for (const [name, accept] of [
    ['prometheus2', PROMETHEUS_2],
    ['prometheus3', PROMETHEUS_3],
  ] as const) {
    const answer = await ask(accept, name);
    t.match(
      answer.headers['content-type'],
      /^application\/openmetrics-text; version=1\.0\.0; charset=utf-8(; escaping=allow-utf-8)?$/,
    );
    t.match(answer.headers.vary, /Accept/);
    const open = parseExposition(answer.text, 'openmetrics');
    t.same(browsersOf(open), [...HOSTILE.keys()].sort());
    t.equal(open.families.get('trailgauge_source_bytes')?.unit, 'bytes');
    for (const { key, name, value } of plain.samples.values()) {
      if (name.startsWith('reaction_')) t.equal(open.samples.get(key)?.value, value, key);
    }
    for (const { name, type, samples } of open.families.values()) {
      if (!['counter', 'histogram'].includes(type) || !/^(reaction|trailgauge)_/.test(name)) continue;
      t.ok(
        samples.some((sample) => sample.name.endsWith('_created')),
        name,
      );
    }
    const created = open.value('reaction_matches_created', { stream: 'nginx', filter: 'browsers' }) ?? 0;
    t.ok(Math.abs(created - Date.now() / 1000) < 600, 'a time in seconds');
  }
});

t.test('formats and encodings are negotiated', async (t) => {
  const program = await follower(t).start();
  const typeFor = async (accept: string | null) => {
    const answer = await get(`${program.url}/metrics`, { headers: accept === null ? {} : { accept } });
    parseExposition(answer.text, answer.text.endsWith('# EOF\n') ? 'openmetrics' : 'text');
    return answer.headers['content-type']?.split(';')[0];
  };
  for (const accept of [
    null,
    '*/*',
    'text/html',
    'text/plain',
    'application/openmetrics-text;q=0',
    'text/plain,application/openmetrics-text;q=0.9',
    ';;q=x,,',
  ])
    t.equal(await typeFor(accept), 'text/plain', String(accept));
  for (const accept of [
    'application/openmetrics-text',
    'text/plain;q=0.5, application/openmetrics-text; version=1.0.0',
  ])
    t.equal(await typeFor(accept), 'application/openmetrics-text', accept);

  for (const [encoding, packed] of [
    ['gzip', true],
    ['deflate, gzip;q=0.5', true],
    ['*', true],
    ['gzip;q=0', false],
    ['identity', false],
    ['br', false],
  ] as const) {
    const answer = await get(`${program.url}/metrics`, { headers: { 'accept-encoding': encoding } });
    t.equal(answer.headers['content-encoding'], packed ? 'gzip' : undefined, encoding);
    t.equal(Number(answer.headers['content-length']), answer.body.length);
    parseExposition((packed ? gunzipSync(answer.body) : answer.body).toString());
  }
});

t.test('promtool complains of nothing but the names of the predecessor', async (t) => {
  if (!need(t, 'promtool')) return;
  const { start, append } = follower(t);
  const program = await start();
  await append(
    program,
    ...hostileLines(),
    'INFO nginx.nopattern.reload: run ["systemctl"]',
    'ERROR ssh.failedlogin.ban: run ["x"]: exit code: 1',
    'INFO start command: run ["nft"]',
    'ERROR start command: run ["nft"]: exit code: 1',
    'INFO ssh: start ["x"]',
  );
  // The second answer has the histograms filled.
  await scrape(program, 'first');
  const { text } = await get(`${program.url}/metrics?scraper=second`);
  const { families } = parseExposition(text);
  for (const name of ['trailgauge_scrape_seconds', 'reaction_commands_count', 'reaction_pending_count'])
    t.ok(families.has(name), name);
  const ran = spawnSync(pathOf('promtool') ?? '', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  const complaints = `${ran.stdout}${ran.stderr}`.split('\n').filter((line) => line !== '');
  t.same(complaints.map((line) => line.replace(/ .*/, '')).sort(), [
    'reaction_action_count',
    'reaction_commands_count',
    'reaction_match_count',
    'reaction_pending_count',
    'reaction_stream_event_count',
  ]);
  for (const line of complaints) t.match(line, /should not have "_count" suffix$/);
});

t.test('what is no GET of something known takes nothing and breaks nothing', async (t) => {
  const { start, append } = follower(t);
  const program = await start();
  const { url } = program;
  await append(program, ...hostileLines());
  const head = await get(`${url}/metrics?scraper=a`, { method: 'HEAD', headers: { accept: PROMETHEUS_2 } });
  t.match(head, { status: 200, text: '', headers: { 'content-type': /^application\/openmetrics-text;/ } });
  for (const path of [
    '/nope',
    '/metrics/',
    '/metrics/x',
    '/-/nope',
    '/api/v1/nope',
    '/..%2f..%2fetc/passwd',
    '/favicon.ico',
    '/%',
    '/%zz',
    '//',
  ]) {
    const answer = await get(url + path);
    t.ok(answer.status === 404 || answer.status === 400, `${path}: ${answer.status}`);
    t.notMatch(answer.text, /\bat .*:[0-9]+/, 'no stack trace');
  }
  for (const [method, body] of [
    ['POST', '{"a":'],
    ['PUT', 'x'],
    ['DELETE', undefined],
    ['OPTIONS', undefined],
    ['POST', 'x'.repeat(100_000)],
  ] as const) {
    const headers = { 'content-type': 'application/json' };
    const answer = await get(`${url}/metrics?scraper=a`, { method, headers, ...(body !== undefined && { body }) });
    t.match(answer, { status: 405, headers: { allow: 'GET, HEAD' } }, `${method}: ${answer.status}`);
  }
  t.same((await statusOf(program)).scrapers, [], 'nobody came');
  for (const query of [
    'scraper=%',
    'scraper=%00',
    'scraper',
    `scraper=${'x'.repeat(5_000)}`,
    'scraper=a&scraper=b',
    'scraper[]=a',
    '?',
    '#',
  ])
    t.equal((await get(`${url}/metrics?${query}`)).status, 200, query.slice(0, 50));
  t.equal((await get(`${url}/metrics?scraper=a`, { headers: { authorization: 'Basic ????' } })).status, 200);
  t.equal((await get(`${url}/-/healthy`)).text, 'healthy\n');
  t.equal((await get(`${url}/-/ready`)).text, 'ready\n');
  t.match((await get(url)).headers['content-type'], /^text\/html/);
  const errors = program
    .log()
    .split('\n')
    .filter((line) => line.includes('"level":50'));
  t.same(errors, [], 'bad requests are no failures of ours');
});
