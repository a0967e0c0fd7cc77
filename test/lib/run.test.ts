import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { commandLine, ending, run } from '../../src/lib/run.ts';

const limits = { timeoutMs: 20_000, maxBytes: 1024 * 1024 };

function sh(script: string, more: { timeoutMs?: number; maxBytes?: number; signal?: AbortSignal } = {}) {
  return run({ command: 'sh', args: ['-c', script], ...limits, ...more });
}

t.test('gives the exit code and both outputs', async (t) => {
  const ran = await sh('echo out; echo err >&2; exit 3');
  t.same(ran, { code: 3, killedBy: null, stdout: 'out\n', stderr: 'err\n' });
  t.equal(ending(ran), 'ended with 3: err');
});

t.test('arguments are a vector, never a shell', async (t) => {
  const args = ['%s|', '$(id)', '`id`', '; exit 4', '', 'ü\n'];
  const ran = await run({ command: 'printf', args, ...limits });
  t.equal(ran.stdout, '$(id)|`id`|; exit 4||ü\n|');
});

t.test('stdin is empty, the environment may be given', async (t) => {
  const ran = await run({ command: '/bin/sh', args: ['-c', 'cat; echo $A'], env: { A: 'b', PATH: '/bin' }, ...limits });
  t.equal(ran.stdout, 'b\n');
});

t.test('bytes that are not UTF-8 do no harm', async (t) => {
  t.equal((await sh("printf 'a\\377b'")).stdout, 'a\uFFFDb');
});

t.test('a program that is absent or not executable', async (t) => {
  await t.rejects(run({ command: 'no-such-program', args: ['-V'], ...limits }), {
    message: 'cannot run no-such-program -V: found no such program, wanted a path or a name in PATH',
  });
  await t.rejects(run({ command: '/etc/passwd', args: [], ...limits }), {
    message: 'cannot run /etc/passwd: it may not be executed (EACCES)',
  });
  await t.rejects(run({ command: 'sh', args: ['a\0b'], ...limits }), { message: /^cannot run sh "a\\u0000b": / });
});

t.test('one that hangs is killed with the children it started', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pid');
  // The limit runs from the start: on a busy machine the shell may need a while to write the file.
  const hanging = sh(`sleep 600 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`, { timeoutMs: 1_000 });
  await t.rejects(hanging, { message: /^sh -c .* gave no answer within 1 s$/ });
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  await until(() => !isAlive(pid));
  t.notOk(isAlive(pid));
});

t.test('one that left its outputs open to a child is not waited for either', async (t) => {
  await t.rejects(sh('sleep 600 & exit 0', { timeoutMs: 300 }), { message: /gave no answer within 0.3 s$/ });
});

t.test('one that prints too much is stopped; stderr keeps its end only', async (t) => {
  await t.rejects(sh('yes', { maxBytes: 1000 }), { message: 'sh -c yes printed more than 1000 bytes' });
  const ran = await sh('yes | head -c 1000000 >&2; echo last >&2');
  t.equal(ran.stderr.length, 64 * 1024);
  t.equal(ending(ran), 'ended with 0: last');
});

t.test('an abort ends it, or keeps it from starting', async (t) => {
  const abort = new AbortController();
  const running = sh('sleep 600', { signal: abort.signal });
  abort.abort();
  await t.rejects(running, { message: 'sh -c "sleep 600" was aborted' });
  await t.rejects(sh('true', { signal: abort.signal }), { message: 'sh -c true was not started: aborted' });
});

t.test('what is said about an ending', async (t) => {
  const ran = await sh('kill -9 $$');
  t.equal(ending(ran), 'was ended by SIGKILL');
  const lines = '\u001b[31mERROR\u001b[0m a\tb\n \r\n';
  t.equal(ending({ code: 1, killedBy: null, stdout: '', stderr: lines }), 'ended with 1: ERROR a b');
  t.equal(commandLine('reaction', ['-c', '/etc/a b', '']), 'reaction -c "/etc/a b" ""');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie is dead, whoever has yet to collect it.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await sleep(10);
}
