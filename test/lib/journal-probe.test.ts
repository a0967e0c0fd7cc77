import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { followJournal } from '../../src/lib/journal.ts';
import { journalArguments } from '../../src/lib/journal-child.ts';
import { findUnreadable, probeJournal } from '../../src/lib/journal-probe.ts';
import { timeoutError } from '../../src/lib/timeout.ts';
import { exportEntries, temporaryFolder, writeJournal, writeScript } from '../support/journal.ts';
import { need } from '../support/services.ts';

if (!need(t, 'journalctl', 'systemd-journal-remote')) process.exit();

/** Root may read everything: a test of what may not be read is somebody else for a while. */
async function asNobody(t: Test, act: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) {
    t.comment('not root: the tests are somebody already');
    return act();
  }
  process.setegid?.(65534);
  process.seteuid?.(65534);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/** A folder that everybody may enter, with a journal that nobody may read. */
function closedJournal(t: Test): { directory: string; file: string } {
  const directory = temporaryFolder(t);
  const file = join(directory, 'a.journal');
  writeJournal(file, exportEntries(0, 2));
  chmodSync(directory, 0o755);
  chmodSync(file, 0);
  return { directory, file };
}

t.test('arguments: the unit, the folder, the machine', async (t) => {
  const last = (selection: Parameters<typeof journalArguments>[0]) =>
    journalArguments(selection, ['--follow']).slice(5);
  t.same(last({ unit: 'reaction', directory: '/j' }), ['--directory=/j', '--follow', '_SYSTEMD_UNIT=reaction.service']);
  t.same(last({ unit: 'a.scope', directory: '/j', machineId: 'b' }), [
    '--directory=/j',
    '--follow',
    '_SYSTEMD_UNIT=a.scope',
  ]);
  t.same(last({ unit: 'a', directory: null, machineId: 'b' }), [
    '--follow',
    '_MACHINE_ID=b',
    '_SYSTEMD_UNIT=a.service',
  ]);
  t.same(last({ unit: 'a', directory: null, machineId: null }), ['--follow', '_SYSTEMD_UNIT=a.service']);
  t.same(journalArguments({ unit: 'a', directory: null }, []).slice(0, 4), [
    '--output=export',
    '--all',
    '--quiet',
    '--merge',
  ]);
});

t.test('an entry can be seen', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 2));
  t.same(await probeJournal({ unit: 'reaction', directory }), {
    ok: true,
    detail: 'newest entry of reaction: 2026-01-01T00:00:01.000Z',
  });
});

t.test('no entry can be seen', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 2));
  t.same(await probeJournal({ unit: 'other', directory }), {
    ok: false,
    detail:
      `no entry of other can be seen in ${directory}. Check the name of the unit, ` +
      'the groups of the user (systemd-journal or adm) and Storage= in journald.conf',
  });
});

t.test('journalctl cannot say', async (t) => {
  const folder = temporaryFolder(t);
  const probe = (command: string, signal?: AbortSignal) =>
    probeJournal({ unit: 'reaction', directory: folder, command, ...(signal ? { signal } : {}) });
  t.same(await probe('/absent'), { ok: false, detail: '/absent was not found' });
  t.same(await probe('/etc/passwd/x'), { ok: false, detail: '/etc/passwd/x failed: ENOTDIR' });
  const broken = writeScript(join(folder, 'broken'), 'echo; echo what is this');
  t.match(await probe(broken), { ok: false, detail: /broken failed: journalctl wrote a line that is no field/ });
  const hanging = writeScript(join(folder, 'hanging'), 'exec sleep 60');
  const late = new AbortController();
  setTimeout(() => late.abort(timeoutError('no answer', 50)), 50);
  t.same(await probe(hanging, late.signal), { ok: false, detail: 'journalctl: no answer within 0.05 s' });
});

t.test('what may not be read is found', async (t) => {
  const { directory, file } = closedJournal(t);
  const folder = temporaryFolder(t);
  const machine = join(folder, 'machine');
  mkdirSync(machine);
  chmodSync(machine, 0);
  chmodSync(folder, 0o755);
  await asNobody(t, async () => {
    t.equal(await findUnreadable(directory), file);
    t.equal(await findUnreadable(folder), machine);
    t.equal(await findUnreadable(machine), machine);
  });
  t.equal(await findUnreadable(join(folder, 'absent')), null);
});

t.test('a journal that may not be read: the problem, and only what is later than now', async (t) => {
  const { directory } = closedJournal(t);
  const problems: (string | null)[] = [];
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  await asNobody(t, async () => {
    t.match(await probeJournal({ unit: 'reaction', directory }), { ok: false, detail: /wanted a user in the group/ });
    const batches = followJournal({
      unit: 'reaction',
      directory,
      follow: true,
      from: 'end',
      signal: abort.signal,
      now: () => 7000,
      onProblem: (problem) => problems.push(problem),
    });
    t.same((await batches.next()).value?.position, { cursor: '', realtime: 7_000_000 });
  });
  t.match(problems, ['insufficient permissions. (wanted a user in the group systemd-journal or adm)']);
});

t.test('a journal of which a part may not be read, until it may', async (t) => {
  const { directory, file } = closedJournal(t);
  const open = join(directory, 'open.journal');
  writeJournal(open, exportEntries(0, 1).replace('reaction.service', 'other.service'));
  chmodSync(open, 0o644);
  const problems: (string | null)[] = [];
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  await asNobody(t, async () => {
    const batches = followJournal({
      unit: 'reaction',
      directory,
      follow: true,
      from: { cursor: '', realtime: 0 },
      signal: abort.signal,
      onProblem: (problem) => {
        problems.push(problem);
        if (problem === null) return;
        const user = process.geteuid?.() ?? 0;
        if (process.getuid?.() === 0) process.seteuid?.(0);
        chmodSync(file, 0o644);
        process.seteuid?.(user);
      },
    });
    await batches.next();
    t.equal((await batches.next()).value?.entries.length, 2);
  });
  t.match(problems, [`${file} cannot be read`, null]);
});
