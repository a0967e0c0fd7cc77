import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { askSettings, askShow, askVersion } from '../../../src/sources/reaction/ask.ts';
import { fixture } from '../../support/paths.ts';

const command = fixture('reaction/reaction');
const asking = { command, timeoutMs: 20_000 };
const config = '/etc/no such; path';

const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
const calls = join(folder, 'calls');
t.teardown(() => rmSync(folder, { recursive: true }));
t.beforeEach(() => {
  writeFileSync(calls, '');
  setMode('ok');
  process.env.FAKE_REACTION_CALLS = calls;
  delete process.env.FAKE_REACTION_ANSWERS;
});

function setMode(mode: string): void {
  process.env.FAKE_REACTION_MODE = mode;
}

/** Lets the program answer with these texts. */
function answerWith(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  process.env.FAKE_REACTION_ANSWERS = folder;
}

t.test('settings', async (t) => {
  const settings = await askSettings({ ...asking, config });
  t.same([...settings.streams.keys()], ['ssh', 'mail', 'nginx', 'cloud', 'recidive']);
  t.equal(readFileSync(calls, 'utf8'), `test-config -c ${config}\n`);
  setMode('preamble');
  t.equal((await askSettings({ ...asking, config })).patterns.size, 6);
});

t.test('settings as JSON, and what is no settings', async (t) => {
  answerWith('test-config.yaml', '{ "streams": { "s": {} } }');
  t.same([...(await askSettings({ ...asking, config })).streams.keys()], ['s']);
  answerWith('test-config.yaml', 'hello world\n');
  await t.rejects(askSettings({ ...asking, config }), {
    message: `${command} test-config -c "/etc/no such; path" printed no configuration: found no streams`,
  });
  answerWith('test-config.yaml', 'streams:\n  a: b: c\n');
  await t.rejects(askSettings({ ...asking, config }), { message: /printed no YAML: line 2, column 6: / });
});

t.test('a configuration that is refused, a program that is absent or hangs', async (t) => {
  setMode('badconf');
  await t.rejects(askSettings({ ...asking, config: '/etc/reaction' }), {
    message: `${command} test-config -c /etc/reaction ended with 1: ERROR no stream configured`,
  });
  await t.rejects(askVersion({ ...asking, command: 'no-such-reaction' }), {
    message: 'cannot run no-such-reaction -V: found no such program, wanted a path or a name in PATH',
  });
  setMode('hang');
  await t.rejects(askShow({ ...asking, timeoutMs: 200, socket: '/s', state: { formatRefused: false } }), {
    message: `${command} show --socket /s --format json gave no answer within 0.2 s`,
  });
  const abort = new AbortController();
  const question = askShow({ ...asking, signal: abort.signal, socket: '/s', state: { formatRefused: false } });
  abort.abort();
  await t.rejects(question, { message: /was aborted$/ });
});

t.test('pending actions, with the format while it is known', async (t) => {
  const state = { formatRefused: false };
  t.equal(
    await askShow({ ...asking, socket: '/s', state }),
    readFileSync(fixture('reaction/answers/show.json'), 'utf8'),
  );
  setMode('noformat');
  const yaml = readFileSync(fixture('reaction/answers/show.yaml'), 'utf8');
  t.equal(await askShow({ ...asking, socket: '/s', state }), yaml);
  t.same(state, { formatRefused: true });
  t.equal(await askShow({ ...asking, socket: '/s', state }), yaml);
  t.same(readFileSync(calls, 'utf8').trim().split('\n'), [
    'show --socket /s --format json',
    'show --socket /s --format json',
    'show --socket /s',
    'show --socket /s',
  ]);
});

t.test('pending actions while the daemon is down', async (t) => {
  setMode('down');
  const state = { formatRefused: false };
  await t.rejects(askShow({ ...asking, socket: '/s', state }), {
    message: /--format json ended with 1: ERROR could not connect to the daemon: No such file/,
  });
  t.same(state, { formatRefused: false });
});

t.test('a program that refuses everything teaches nothing about the format', async (t) => {
  const state = { formatRefused: false };
  const script = join(folder, 'refuse');
  writeFileSync(script, '#!/bin/sh\necho "Usage: refuse" >&2\nexit 64\n', { mode: 0o755 });
  await t.rejects(askShow({ ...asking, command: script, socket: '/s', state }), {
    message: /show --socket \/s ended with 64: Usage: refuse$/,
  });
  t.same(state, { formatRefused: false });
});

t.test('version', async (t) => {
  t.equal(await askVersion(asking), '2.3.0');
  t.equal(readFileSync(calls, 'utf8'), '-V\n');
  const cases = [
    ['reaction', 'N/A'],
    ['', 'N/A'],
    ['\u001b[1mreaction\u001b[0m   2.5.1 (abc)\nmore', '2.5.1'],
    [`reaction ${'9'.repeat(1000)}`, '9'.repeat(100)],
  ] as const;
  for (const [text, wanted] of cases) {
    answerWith('version', text);
    t.equal(await askVersion(asking), wanted, JSON.stringify(text.slice(0, 40)));
  }
});
