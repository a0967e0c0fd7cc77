import { spawnSync } from 'node:child_process';
import t from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { readSamples } from '../support/exposition.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';

const TIMES = ['2026-05-09T10:00:00Z', '2026-05-09T11:00:00Z', '2026-05-09T12:00:00Z'];
const MATCHES = 'reaction_matches_total{stream="ssh",filter="failedlogin"}';

function timedLog(place: string, name = 'timed.log'): string {
  return file(place, name, TIMES.map((time) => `${time} INFO ssh.failedlogin: match ["192.0.2.1"]\n`).join(''));
}

function config(place: string, name: string, sources: Readonly<Record<string, unknown>>): string {
  return file(place, `${name}.json`, JSON.stringify({ sources }));
}

t.test('--since and --until choose by time: from the one on, and before the other', async (t) => {
  const place = folder(t);
  const logs = { file: timedLog(place) };
  const path = config(place, 'c', { reaction: { logs, command: fixture('reaction/reaction'), hold: '0s' } });
  const cases: readonly (readonly [args: string, count: number | undefined])[] = [
    ['', 3],
    [`--since ${TIMES[1]}`, 2],
    [`--until ${TIMES[1]}`, 1],
    [`--since ${TIMES[1]} --until ${TIMES[2]}`, 1],
    [`--since ${TIMES[0]} --until 2026-05-09T11:00:00.001Z`, 2],
    ['--since 2026-05-09T13:30:00+02:00', 1],
    ['--until 100d', 3],
    ['--since 1s', 0],
    [`--since ${TIMES[2]} --since ${TIMES[0]}`, 3],
  ];
  const ran = await Promise.all(cases.map(([args]) => cli(['-c', path, 'once', ...args.split(' ').filter(Boolean)])));
  for (const [index, [args, count]] of cases.entries()) {
    t.equal(ran[index]?.code, 0);
    // The configuration names the filter, so that it is shown at 0 too.
    t.equal(readSamples(ran[index]?.stdout ?? '')[MATCHES], count, args);
  }
});

t.test('many sources beside one another, and nothing on stderr but the log', async (t) => {
  const place = folder(t);
  const reaction = { logs: { file: timedLog(place) }, command: fixture('reaction/reaction'), hold: '0s' };
  const names = Array.from({ length: 12 }, (_, index) => `reaction/r${index}`);
  const path = config(place, 'c', Object.fromEntries(names.map((name) => [name, reaction])));
  const { code, stdout, stderr } = await cli(['-c', path, 'once']);
  t.equal(code, 0);
  t.equal(stdout.match(/^reaction_matches_total\{stream="ssh",filter="failedlogin",.*\} 3$/gm)?.length, names.length);
  t.same(
    stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{"level":')),
    [],
  );
});

t.test('both formats are what Prometheus reads, and nothing is saved', async (t) => {
  const place = folder(t);
  const reaction = { logs: { file: fixture('reaction/v2.log') }, command: fixture('reaction/reaction') };
  const path = file(place, 'c.json', JSON.stringify({ state: { directory: `${place}/state` }, sources: { reaction } }));
  const [text, openmetrics] = await Promise.all([
    cli(['-c', path, 'once']),
    cli(['-c', path, 'once', '--format', 'openmetrics']),
  ]);
  t.match(text, { code: 0, stdout: '# TYPE reaction_matches_total counter\n' });
  t.match(openmetrics, { code: 0, stdout: '# TYPE reaction_matches counter\n' });
  t.match(openmetrics.stdout, /\n# EOF\n$/);
  t.match(openmetrics.stdout, '\nreaction_matches_created{');
  t.notMatch(text.stdout, '# EOF');
  t.equal(spawnSync('ls', [place], { encoding: 'utf8' }).stdout, 'c.json\n');
  if (!need(t, 'promtool')) return;
  const { stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text.stdout, encoding: 'utf8' });
  // The names of the predecessor are excused.
  t.same(
    stderr.split('\n').filter((line) => line !== '' && !/^reaction_\w+_count /.test(line)),
    [],
  );
});

t.test('a log that cannot be read is a failure, with its reason', async (t) => {
  const place = folder(t);
  const none = `${place}/none.log`;
  const path = config(place, 'c', { reaction: { logs: { file: none }, command: fixture('reaction/reaction') } });
  const { code, stdout, stderr } = await cli(['-c', path, 'once']);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, `"msg":"cannot read ${none}: ${none} does not exist"`);
  t.ok(isForPeople(stderr), stderr);
});

t.test('several sources of one type: a named one has its name in the label `source`', async (t) => {
  const place = folder(t);
  const reaction = { logs: { file: timedLog(place) }, command: fixture('reaction/reaction'), hold: '0s' };
  const path = config(place, 'c', { reaction, 'reaction/edge-1': reaction });
  const { code, stdout } = await cli(['-c', path, 'once']);
  t.equal(code, 0);
  const samples = readSamples(stdout);
  t.equal(samples[MATCHES], 3);
  t.equal(samples['reaction_matches_total{stream="ssh",filter="failedlogin",source="edge-1"}'], 3);
  t.equal(samples['trailgauge_source_up{source="reaction"}'], 1);
  t.equal(samples['trailgauge_source_up{source="edge-1"}'], 1);
  const names = stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ')[0]);
  t.equal(new Set(names).size, names.length, 'no series twice');
});

t.test('patterns named like labels, or as no label can be, are renamed', async (t) => {
  const place = folder(t);
  const patterns = ['stream', 'filter', 'source', 'my-ip', 'my ip', '2nd', '__x', 'é', 'action', 'le'];
  const settings = {
    patterns: Object.fromEntries(patterns.map((name) => [name, { regex: '[a-z0-9]+' }])),
    streams: {
      s: {
        cmd: ['true'],
        filters: {
          f: { regex: [patterns.map((name) => `<${name}>`).join(' ')], actions: { ban: { cmd: ['true'] } } },
        },
      },
    },
  };
  const values = patterns.map((_, index) => `"v${index}"`).join(' ');
  const reaction = {
    config: file(place, 'reaction.json', JSON.stringify(settings)),
    command: '/nowhere',
    logs: { file: file(place, 'r.log', `INFO s.f: match [${values}]\n`) },
  };
  const { code, stdout } = await cli(['-c', config(place, 'c', { 'reaction/x': reaction }), 'once']);
  t.equal(code, 0);
  const [series = ''] = stdout.split('\n').filter((line) => line.startsWith('reaction_match_count{'));
  const labels = [...series.matchAll(/([^{,]+)="([^"]*)"/g)].map((match) => match[1] ?? '');
  t.equal(new Set(labels).size, labels.length, series);
  t.equal(labels.length, 3 + patterns.length, series);
  for (const label of labels) t.match(label, /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/);
  for (const name of ['pattern_stream', 'pattern_filter', 'pattern_source', 'my_ip', 'my_ip_2', '_2nd', 'le']) {
    t.ok(labels.includes(name), name);
  }
});

t.test('a transform that fails on a value: the label says so, and it is counted', async (t) => {
  const place = folder(t);
  const reaction = {
    logs: { file: file(place, 'r.log', 'INFO ssh.failedlogin: match ["192.0.2.1"]\n') },
    command: fixture('reaction/reaction'),
    hold: '0s',
    transform: { all: { ip: '{{truncate ip ip}}' } },
  };
  const { code, stdout, stderr } = await cli(['-c', config(place, 'c', { reaction }), 'once']);
  t.equal(code, 0);
  const samples = readSamples(stdout);
  t.equal(samples['reaction_match_count{stream="ssh",filter="failedlogin",ip="invalid"}'], 1);
  t.ok((samples['trailgauge_source_errors_total{source="reaction"}'] ?? 0) >= 1);
  t.equal(samples[MATCHES], 1, 'the match itself counts');
  t.match(stderr, 'transform.all.ip: ');
  t.ok(isForPeople(stderr), stderr);
});
