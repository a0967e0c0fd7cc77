import t from 'tap';
import { Registry } from '../../../src/core/metrics/registry.ts';
import type { Rejected, SavedEntries } from '../../../src/core/source.ts';
import { parsePrinted } from '../../../src/sources/reaction/documents.ts';
import { REACTION_METRICS } from '../../../src/sources/reaction/metrics.ts';
import { Observer, type ObserverOptions } from '../../../src/sources/reaction/observe.ts';
import { unobserved } from '../../../src/sources/reaction/observed.ts';
import { parseLine } from '../../../src/sources/reaction/parse.ts';
import { readSettings } from '../../../src/sources/reaction/settings.ts';
import { compileTransforms, type TransformConfig } from '../../../src/sources/reaction/transform.ts';
import { show } from '../../support/exposition.ts';

const SETTINGS = readSettings(
  parsePrinted(
    JSON.stringify({
      patterns: { ip: { type: 'ip' }, stream: { regex: '\\w+' }, email: { regex: '\\S+@\\S+' } },
      streams: {
        ssh: {
          cmd: ['x'],
          filters: {
            login: {
              regex: ['from <ip>'],
              actions: {
                ban: { cmd: ['ban', '<ip>'] },
                unban: { cmd: ['unban', '<ip>'], after: '1h' },
                mail: { cmd: ['mail', 'root'] },
                later: { cmd: ['later'], after: '1h' },
              },
            },
            two: { regex: ['<stream> <email> <ip>'], actions: {} },
          },
        },
      },
    }),
  ),
);

function create(more: Partial<ObserverOptions> & { readonly transform?: TransformConfig } = {}) {
  const { transform = {}, ...options } = more;
  const registry = new Registry({ seriesLimit: 1_000 });
  const counts = { held: 0, starts: 0 };
  const observer = new Observer({
    metrics: registry.register('reaction', REACTION_METRICS),
    holdMs: 60_000,
    matches: 'patterns',
    actions: 'patterns',
    top: 20,
    distinct: true,
    commands: true,
    streams: true,
    transforms: compileTransforms(transform, () => {}),
    onHeld: () => {
      counts.held += 1;
    },
    onStart: () => {
      counts.starts += 1;
    },
    ...options,
  });
  observer.configure(SETTINGS);
  const feed = (text: string, time: number | null = null, v1 = false) => {
    const parsed = parseLine(text, v1);
    if (parsed === null || 'rejected' in parsed) throw new Error(`no event: ${text} ${(parsed as Rejected)?.rejected}`);
    observer.observe(unobserved(parsed), { text, v1, time });
    observer.settle();
  };
  return { registry, observer, counts, feed };
}

/** Only what was counted. */
async function counted(registry: Registry): Promise<Record<string, number>> {
  return Object.fromEntries(Object.entries(await show(registry)).filter(([, value]) => value !== 0));
}

const BAN = 'ssh.login.ban: run ["ban" "192.0.2.1"]';
const ACTION = 'stream="ssh",filter="login",action="ban"';

t.test('a run that fails is one run and one failure', async (t) => {
  const cases: readonly (readonly [string, readonly string[], number, number])[] = [
    ['INFO then ERROR', [`INFO ${BAN}`, `ERROR ${BAN}: exit code: 1`], 1, 1],
    ['ERROR alone', [`ERROR ${BAN}: exit code: 1`], 1, 1],
    ['INFO and two ERROR', [`INFO ${BAN}`, `ERROR ${BAN}`, `ERROR ${BAN}`], 2, 2],
    ['two INFO, one ERROR', [`INFO ${BAN}`, `INFO ${BAN}`, `ERROR ${BAN}`], 2, 1],
    ['other arguments', [`INFO ${BAN}`, 'ERROR ssh.login.ban: run ["ban" "192.0.2.2"]: exit code: 1'], 2, 1],
    ['arguments that are not told', ['INFO ssh.login.ban: run nft', 'ERROR ssh.login.ban: run'], 1, 1],
    ['arguments joined alike', ['INFO ssh.login.ban: run ["a" "b"]', 'ERROR ssh.login.ban: run ["a b"]'], 2, 1],
  ];
  for (const [name, lines, runs, failures] of cases) {
    const { registry, feed } = create();
    for (const line of lines) feed(line);
    const shown = await show(registry);
    t.equal(shown[`reaction_actions_total{${ACTION}}`], runs, name);
    t.equal(shown[`reaction_action_failures_total{${ACTION}}`], failures, name);
    const owed = Object.entries(shown).filter(([series]) => series.startsWith('reaction_action_count'));
    t.equal(
      owed.reduce((sum, [, value]) => sum + value, 0),
      runs,
      `${name}: the gauge counts as the counter does`,
    );
  }
});

t.test('an open run is found among the last thousand of its head only', async (t) => {
  for (const [others, runs] of [
    [999, 1_000],
    [1_000, 1_002],
  ] as const) {
    const { registry, feed } = create();
    feed(`INFO ${BAN}`);
    for (let i = 0; i < others; i++) feed(`INFO ssh.login.ban: run ["ban" "x${i}"]`);
    feed(`ERROR ${BAN}`);
    t.equal((await show(registry))[`reaction_actions_total{${ACTION}}`], runs);
  }
});

t.test('commands: runs, failures by code, and the lines of the gauge', async (t) => {
  const { registry, feed, counts } = create();
  feed('INFO start command: run ["nft", "x"]');
  feed('ERROR start command: run ["nft", "x"]: exit code: 3');
  feed('ERROR stop command: run ["nope"]: No such file or directory (os error 2)');
  t.match(await counted(registry), {
    'reaction_commands_total{state="start",command="nft"}': 1,
    'reaction_commands_total{state="stop",command="nope"}': 1,
    'reaction_command_failures_total{state="start",command="nft",code="3"}': 1,
    'reaction_command_failures_total{state="stop",command="nope",code="none"}': 1,
    'reaction_commands_count{state="start",command="nft",status="True",code="0"}': 1,
    'reaction_commands_count{state="start",command="nft",status="False",code="3"}': 1,
  });
  t.equal(counts.starts, 2);
});

t.test('matches count whatever their values', async (t) => {
  const { registry, feed } = create();
  feed('INFO ssh.login: match ["192.0.2.1"]');
  feed('INFO ssh.login: match []');
  feed('INFO ssh.login: match ["a", "b"]');
  feed('INFO ssh.login: match [192.0.2.1]', null, true);
  feed('INFO ssh.two: match [a@b.c][192.0.2.1][word]', null, true);
  feed('INFO ssh.two: match ["a@b.c", "", "word"]');
  feed('INFO ssh.unknown: match ["x"]');
  t.match(await counted(registry), {
    'reaction_matches_total{stream="ssh",filter="login"}': 4,
    'reaction_match_count{stream="ssh",filter="login",ip="192.0.2.1"}': 2,
    'reaction_match_count{stream="ssh",filter="login"}': 2,
    'reaction_match_count{stream="ssh",filter="two",email="a@b.c",ip="192.0.2.1",pattern_stream="word"}': 1,
    'reaction_match_count{stream="ssh",filter="two",email="a@b.c",pattern_stream="word"}': 1,
    'reaction_matches_total{stream="ssh",filter="unknown"}': 1,
  });
});

t.test('transforms, and labels that are dropped without moving the others', async (t) => {
  const { registry, feed } = create({
    transform: { all: { email: '{{last (split email "@")}}' }, for: { ssh: { two: { ip: false } } } },
  });
  feed('INFO ssh.two: match ["a@b.c", "192.0.2.1", "word"]');
  feed('INFO ssh.two: match ["x@b.c", "192.0.2.2", "word"]');
  t.equal(
    (await show(registry))['reaction_match_count{stream="ssh",filter="two",email="b.c",pattern_stream="word"}'],
    2,
  );
});

t.test('an action has its own values, never those of a stranger', async (t) => {
  const { registry, feed } = create();
  feed('INFO ssh.login: match ["192.0.2.9"]');
  feed('INFO ssh.login.unban: run ["unban" "192.0.2.1"]');
  feed('INFO ssh.login.later: run ["later"]');
  feed('INFO ssh.login.mail: run ["mail" "root"]');
  feed('INFO ssh.login.ban: run ["other" "192.0.2.3"]');
  t.match(await counted(registry), {
    'reaction_action_count{stream="ssh",filter="login",action="unban",ip="192.0.2.1"}': 1,
    'reaction_action_count{stream="ssh",filter="login",action="later"}': 1,
    'reaction_action_count{stream="ssh",filter="login",action="mail",ip="192.0.2.9"}': 1,
    'reaction_action_count{stream="ssh",filter="login",action="ban"}': 1,
  });
});

t.test('exports', async (t) => {
  const { registry, feed } = create({ matches: 'plain', actions: 'off', commands: false, streams: false });
  feed('INFO ssh.login: match ["192.0.2.9"]');
  feed(`INFO ${BAN}`);
  feed('INFO stop command: run ["x"]');
  feed('ERROR stream ssh exited: 1');
  const gauges = Object.keys(await counted(registry)).filter((series) => series.includes('_count'));
  t.same(gauges, ['reaction_match_count{stream="ssh",filter="login"}']);
});

t.test('hold, in the time of the log', async (t) => {
  const { registry, feed, counts } = create();
  feed('INFO start command: run ["x"]', 1_000);
  feed('INFO ssh: start ["x"]', 2_000);
  feed(`INFO ${BAN}`, 61_999);
  t.equal(counts.held, 1);
  feed(`ERROR ${BAN}`, 70_000);
  t.equal(counts.held, 2, 'the failure of a held run is held, whenever it comes');
  feed(`INFO ${BAN}`, 62_000);
  feed(`ERROR ${BAN}`, 62_001);
  feed('INFO ssh.login: match ["192.0.2.1"]', 2_000);
  t.match(await counted(registry), {
    [`reaction_actions_total{${ACTION}}`]: 1,
    [`reaction_action_failures_total{${ACTION}}`]: 1,
    'reaction_matches_total{stream="ssh",filter="login"}': 1,
  });
});

t.test('hold, in lines without a time', async (t) => {
  const { feed, counts, observer } = create();
  feed('INFO ssh: start ["x"]');
  feed(`INFO ${BAN}`);
  t.equal(counts.held, 1);
  feed('INFO ssh.two: match ["a@b.c", "192.0.2.1", "x"]');
  feed(`INFO ${BAN}`);
  t.equal(counts.held, 2, 'a match of another filter changes nothing');
  feed('INFO ssh.login: match ["192.0.2.1"]');
  feed(`INFO ${BAN}`);
  t.equal(counts.held, 2);
  feed('INFO ssh: start ["x"]');
  observer.caughtUp(100_000);
  feed(`INFO ${BAN}`, 159_999);
  t.equal(counts.held, 3, 'until hold after the reader caught up');
  feed(`INFO ${BAN}`, 160_000);
  t.equal(counts.held, 3);
});

t.test('hold: 0 holds nothing, and a new invocation is a start', async (t) => {
  const never = create({ holdMs: 0 });
  never.feed('INFO ssh: start ["x"]', 1_000);
  never.feed(`INFO ${BAN}`, 1_001);
  t.equal(never.counts.held, 0);
  const { observer, feed, counts } = create();
  observer.invocation('a', 0);
  t.equal(counts.starts, 0, 'the first one that is seen is none');
  observer.invocation('a', 1_000);
  observer.invocation('b', 100_000);
  t.equal(counts.starts, 1);
  feed(`INFO ${BAN}`, 159_999);
  feed(`INFO ${BAN}`, 160_000);
  t.equal(counts.held, 1);
});

t.test('all that later lines refer to survives a restart', async (t) => {
  const first = create();
  const saved = new Map<string, unknown>();
  const save = () => {
    for (const [key, value] of first.observer.changes()) saved.set(key, structuredClone(value));
  };
  first.observer.invocation('a', 0);
  first.feed('INFO start command: run ["x"]', 1_000);
  first.feed(`INFO ${BAN}`, 2_000);
  save();
  for (let i = 0; i < 1_500; i++) {
    first.feed(`INFO ssh.login: match ["192.0.2.${i % 250}"]`, 100_000);
    if (i % 70 === 0) save();
  }
  first.feed('INFO ssh.login: match ["198.51.100.7"]', 100_000);
  first.feed('INFO ssh.login.ban: run ["ban" "192.0.2.2"]', 200_000);
  save();
  t.same([...first.observer.changes()], [], 'nothing changed since');

  const second = create();
  second.observer.restore([...saved] as SavedEntries);
  second.feed('ERROR start command: run ["x"]: exit code: 1', 2_000);
  second.feed(`ERROR ${BAN}`, 300_000);
  second.feed('ERROR ssh.login.ban: run ["ban" "192.0.2.2"]', 300_000);
  second.feed('INFO ssh.login.mail: run ["mail" "root"]', 300_000);
  t.equal(second.counts.held, 1, 'the failure of the run that was held before');
  t.match(await counted(second.registry), {
    [`reaction_action_failures_total{${ACTION}}`]: 1,
    'reaction_command_failures_total{state="start",command="x",code="1"}': 1,
    'reaction_action_count{stream="ssh",filter="login",action="mail",ip="198.51.100.7"}': 1,
  });
  t.notOk(`reaction_actions_total{${ACTION}}` in (await counted(second.registry)), 'that run was counted before');
  t.equal(second.observer.tupleSeen('ssh', 'login', '192.0.2.249')?.[0], '192.0.2.249');
  t.equal([...second.observer.changes()].length > 0, true);
});
