import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadSettings } from '../../../src/sources/reaction/load.ts';
import { NO_SETTINGS } from '../../../src/sources/reaction/settings.ts';
import { fixture } from '../../support/paths.ts';

const asking = { command: fixture('reaction/reaction'), timeoutMs: 20_000, config: fixture('reaction/etc') };

t.beforeEach(() => {
  process.env.FAKE_REACTION_MODE = 'ok';
});

t.test('reaction itself is asked first', async (t) => {
  const { settings, origin, problem } = await loadSettings(asking);
  t.same([settings.streams.size, origin, problem], [5, 'command', null]);
});

t.test('else its files are read', async (t) => {
  process.env.FAKE_REACTION_MODE = 'badconf';
  const { settings, origin, problem } = await loadSettings(asking);
  t.same([...settings.streams.keys()], ['ssh', 'nginx']);
  t.equal(origin, 'files');
  t.match(problem, /test-config -c .* ended with 1: ERROR no stream configured$/);
});

t.test('else there are none, with both reasons', async (t) => {
  const nothing = await loadSettings({ ...asking, command: 'no-such-reaction', config: '/no/such/path' });
  t.same(nothing, {
    settings: NO_SETTINGS,
    origin: 'none',
    problem:
      'cannot run no-such-reaction test-config -c /no/such/path: found no such program, wanted a path or a name in PATH; cannot read /no/such/path: there is no such file or directory',
  });
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'a.yml'), 'a: [');
  const broken = await loadSettings({ ...asking, command: 'no-such-reaction', config: folder });
  t.equal(broken.origin, 'none');
  t.match(broken.problem, /; found no configuration in \/.*; \/.*\/a\.yml: line 1, column 5: /);
});

t.test('an abort is no reason to go on', async (t) => {
  const { origin, problem } = await loadSettings({ ...asking, signal: AbortSignal.abort() });
  t.equal(origin, 'none');
  t.match(problem, /was not started: aborted$/);
});
