import { readFileSync } from 'node:fs';
import t from 'tap';
import { lyveLine } from '../support/audit.ts';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { fixture } from '../support/paths.ts';

const LINES = [
  'INFO ssh: start ["journalctl"]',
  'INFO start command: run ["true"]',
  'INFO ssh.failedlogin.ban: run ["ban" "192.0.2.1"]',
  'INFO ssh.failedlogin: match ["192.0.2.1"]',
  'INFO ssh.failedlogin.ban: run ["ban" "192.0.2.1"]',
  'ERROR ssh.failedlogin.ban: run ["ban" "192.0.2.1"], code 1',
  '',
  'hello',
];

interface Account {
  readonly input: string;
  readonly event?: { readonly action: string; readonly actor?: { readonly id: string } };
  readonly rejected?: string;
  readonly ignored?: boolean;
  readonly held?: boolean;
  readonly metrics: readonly { readonly series: string; readonly by?: number; readonly value?: number }[];
}

function config(place: string): string {
  const reaction = { config: '/nowhere', command: fixture('reaction/reaction'), logs: { file: '/nowhere' } };
  return file(place, 'c.json', JSON.stringify({ sources: { reaction, 'reaction/edge': reaction } }));
}

t.test('each item: what it became, or why it became nothing', async (t) => {
  const place = folder(t);
  const path = config(place);
  const input = `${LINES.join('\n')}\n`;
  const args = ['-c', path, '-f', 'json', 'explain', 'reaction'];
  const [piped, dashed, read] = await Promise.all([
    cli(args, { stdin: input }),
    cli([...args, '-'], { stdin: input }),
    cli([...args, file(place, 'input.log', input)]),
  ]);
  t.match(piped, { code: 0, stderr: '' });
  t.equal(dashed.stdout.split('\n').length, piped.stdout.split('\n').length);
  const accounts = piped.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Account);
  t.same(
    accounts.map(({ input: line }) => line),
    LINES,
  );
  const [stream, command, held, match, action, failure, silent, rejected] = accounts;
  t.match(stream, {
    event: { action: 'stream' },
    metrics: [{ series: 'reaction_stream_events_total{stream="ssh",type="start"}', by: 1 }],
  });
  t.match(command, { event: { action: 'command' } });
  t.match(held, { event: { action: 'action' }, held: true, metrics: [] });
  t.match(match, { event: { action: 'match', actor: { id: '192.0.2.1' } } });
  t.same(match?.metrics, [
    { series: 'reaction_matches_total{stream="ssh",filter="failedlogin"}', by: 1 },
    { series: 'reaction_match_count{stream="ssh",filter="failedlogin",ip="192.0.2.1"}', by: 1 },
    { series: 'reaction_pattern_top{stream="ssh",filter="failedlogin",pattern="ip",value="192.0.2.1"}', by: 1 },
    { series: 'reaction_pattern_distinct{stream="ssh",filter="failedlogin",pattern="ip"}', by: 1 },
  ]);
  const series = 'reaction_actions_total{stream="ssh",filter="failedlogin",action="ban"}';
  t.match(action?.metrics, [{ series, by: 1 }]);
  t.notOk(action?.held);
  t.same(
    failure?.metrics.filter(({ series }) => series.includes('_total')),
    [{ series: 'reaction_action_failures_total{stream="ssh",filter="failedlogin",action="ban"}', by: 1 }],
    'the same run, not another one',
  );
  t.same(silent, { input: '', ignored: true, metrics: [] });
  t.same(rejected, { input: 'hello', rejected: 'no_level', metrics: [] });

  const withoutTimes = (text: string) => text.replaceAll(/"(?:time|id)":("[^"]+"|[0-9]+)/g, '');
  t.equal(withoutTimes(read.stdout), withoutTimes(piped.stdout), 'a file gives the same');
});

t.test('the same for people', async (t) => {
  const { code, stdout, stderr } = await cli(['-c', config(folder(t)), 'explain', 'reaction'], {
    stdin: [...LINES, 'INFO \u001b[2Jssh.failedlogin: match ["\u0007"]'].join('\n'),
  });
  t.equal(code, 0);
  t.equal(stderr, '');
  const blocks = stdout.split(/\n(?! {2})/);
  t.match(blocks[2], /^INFO ssh\.failedlogin\.ban: run .*\n {2}not counted: it repeats an earlier one\n {2}event: \{/);
  t.match(blocks[3], '\n  reaction_matches_total{stream="ssh",filter="failedlogin"} +1');
  t.equal(blocks[6], '\n  no event');
  t.equal(blocks[7], 'hello\n  rejected: no_level');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is about them
  t.notMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/, 'nothing that moves the cursor');
});

t.test('a named source has its name in the label `source`', async (t) => {
  const { stdout } = await cli(['-c', config(folder(t)), '-f', 'json', 'explain', 'reaction/edge'], {
    stdin: LINES[3] ?? '',
  });
  const { metrics } = JSON.parse(stdout) as Account;
  t.equal(metrics[0]?.series, 'reaction_matches_total{stream="ssh",filter="failedlogin",source="edge"}');
});

t.test('frequent and different values, as far as they are on; old ones too', async (t) => {
  const command = fixture('reaction/reaction');
  const reaction = { config: '/nowhere', command, logs: { file: '/nowhere' } };
  const sources = {
    reaction: { ...reaction, top: 1 },
    'reaction/edge': { ...reaction, top: 0, distinct: false },
    's3-audit': { directory: '/nowhere', top: 3, distinct: true },
  };
  const path = file(folder(t), 'c.json', JSON.stringify({ sources }));
  const match = (ip: string) => `2020-05-09T10:12:45Z INFO ssh.failedlogin: match ["${ip}"]\n`;
  const matches = ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.2'].map(match).join('');
  const [fast, again, slow] = [2, 2, 5].map((ms, index) => lyveLine(`${index}`, { ns: ms * 1e6, account: 'svc' }));
  const [on, off, audit] = await Promise.all([
    cli(['-c', path, 'explain', 'reaction'], { stdin: matches }),
    cli(['-c', path, 'explain', 'reaction/edge'], { stdin: matches }),
    cli(['-c', path, 'explain', 's3-audit'], { stdin: `${fast}\n${again}\n${slow}\n` }),
  ]);
  const changes = (text: string, metric: RegExp) =>
    text.split(/\n(?! {2})/).map((block) =>
      block
        .split('\n')
        .filter((line) => metric.test(line))
        .map((line) =>
          line
            .trim()
            .replace(/\{.*(?:value|account)="([^"]+)"\}/, ' $1')
            .replace(/\{.*\}/, ''),
        ),
    );
  t.same(changes(on.stdout.trimEnd(), /reaction_pattern_/), [
    ['reaction_pattern_top 192.0.2.1 +1', 'reaction_pattern_distinct +1'],
    ['reaction_pattern_top 192.0.2.1 +1', 'reaction_pattern_distinct +0'],
    ['reaction_pattern_distinct +1'],
    ['reaction_pattern_distinct +0'],
    ['reaction_pattern_top 192.0.2.2 +1', 'reaction_pattern_distinct +0'],
  ]);
  t.notMatch(off.stdout, 'reaction_pattern_');
  t.same(changes(audit.stdout.trimEnd(), /_max|s3_account/), [
    ['s3_account_top svc +1', 's3_accounts_distinct +1', 's3_request_duration_seconds_max = 0.002'],
    ['s3_account_top svc +1', 's3_accounts_distinct +0'],
    ['s3_account_top svc +1', 's3_accounts_distinct +0', 's3_request_duration_seconds_max = 0.005'],
  ]);
});

t.test('hostile input, empty input, no input', async (t) => {
  const place = folder(t);
  const path = config(place);
  const hostile = fixture('reaction/v2-hostile.log');
  const lines = readFileSync(hostile, 'latin1').split('\n').length;
  const [all, empty, none, directory] = await Promise.all([
    cli(['-c', path, '-f', 'json', 'explain', 'reaction', hostile]),
    cli(['-c', path, 'explain', 'reaction']),
    cli(['-c', path, 'explain', 'reaction', `${place}/none`]),
    cli(['-c', path, 'explain', 'reaction', place]),
  ]);
  t.match(all, { code: 0, stderr: '' });
  t.equal(all.stdout.trimEnd().split('\n').length, lines);
  t.same(empty, { code: 0, stdout: '', stderr: '' });
  const wish = 'wanted a file of raw input\n';
  t.same(none, { code: 1, stdout: '', stderr: `trailgauge: cannot read ${place}/none: found no such file, ${wish}` });
  t.same(directory, { code: 1, stdout: '', stderr: `trailgauge: cannot read ${place}: found a directory, ${wish}` });
});

t.test('without reaction it goes on, and says so', async (t) => {
  const path = file(
    folder(t),
    'c.json',
    JSON.stringify({ sources: { reaction: { command: '/nowhere', config: '/none' } } }),
  );
  const { code, stdout, stderr } = await cli(['-c', path, 'explain', 'reaction'], { stdin: LINES[3] ?? '' });
  t.equal(code, 0);
  t.match(stdout, 'reaction_matches_total{stream="ssh",filter="failedlogin"} +1');
  t.match(stderr, 'cannot run /nowhere');
  t.ok(isForPeople(stderr), stderr);
});
