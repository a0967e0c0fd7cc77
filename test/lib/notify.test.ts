import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { notifier } from '../../src/lib/notify.ts';
import { need } from '../support/services.ts';

/** A datagram receiver as the supervisor has one: says "bound", then prints each message as one line of JSON. */
const receiver = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('"bound"', flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

interface Supervisor {
  readonly socket: string;
  /** The next message, split into its variables. Barriers, by which systemd-notify waits, are left out. */
  next(): Promise<readonly string[]>;
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

async function supervisor(t: Test): Promise<Supervisor> {
  const socket = join(folder(t), 'notify');
  const child: ChildProcess = spawn('python3', ['-c', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  if (child.stdout === null) throw new Error('no output of the receiver');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function next(): Promise<readonly string[]> {
    const { value, done } = await lines.next();
    if (done) throw new Error('the receiver has ended');
    const variables = (JSON.parse(value) as string).split('\n').filter((variable) => variable !== '');
    return variables.includes('BARRIER=1') ? next() : variables;
  }
  t.same(await next(), ['bound']);
  return { socket, next };
}

function unexpected(problem: Error): never {
  throw problem;
}

const pid = `MAINPID=${process.pid}`;

t.test('tells what happens, in order, with the pid of this process', async (t) => {
  if (!need(t, 'systemd-notify', 'python3')) return;
  const { socket, next } = await supervisor(t);
  const notify = notifier({ ...process.env, NOTIFY_SOCKET: socket }, { onProblem: unexpected });
  notify.status('loading state');
  notify.ready('2 sources');
  notify.ready();
  await notify.stopping();
  t.same((await next()).toSorted(), [pid, 'STATUS=loading state']);
  t.same((await next()).toSorted(), [pid, 'READY=1', 'STATUS=2 sources']);
  t.same((await next()).toSorted(), [pid, 'READY=1']);
  t.same((await next()).toSorted(), [pid, 'STOPPING=1']);
  await notify.close();
});

t.test('a status is one line, of bounded length', async (t) => {
  if (!need(t, 'systemd-notify', 'python3')) return;
  const { socket, next } = await supervisor(t);
  const notify = notifier({ ...process.env, NOTIFY_SOCKET: socket }, { onProblem: unexpected });
  notify.status('a\nREADY=1\u0000b');
  notify.status('x'.repeat(100_000));
  t.same((await next()).toSorted(), [pid, 'STATUS=a READY=1 b']);
  t.same((await next()).toSorted(), [pid, `STATUS=${'x'.repeat(200)}`]);
  await notify.close();
});

t.test('answers the watchdog only while healthy', async (t) => {
  if (!need(t, 'systemd-notify', 'python3')) return;
  const { socket, next } = await supervisor(t);
  const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000', WATCHDOG_PID: String(process.pid) };
  const notify = notifier(env, { onProblem: unexpected });
  let healthy = true;
  let asked = 0;
  const askedWhileIll = new Promise<void>((resolve) => {
    notify.startWatchdog(() => {
      if (!healthy && ++asked === 5) resolve();
      return healthy;
    });
  });
  for (let i = 0; i < 3; i++) t.same((await next()).toSorted(), [pid, 'WATCHDOG=1']);
  healthy = false;
  await notify.status('ill');
  // The timer does not keep the process alive, so something else has to.
  const alive = setInterval(() => {}, 1000);
  await askedWhileIll;
  clearInterval(alive);
  await notify.status('still ill');
  await notify.close();
  for (let message = await next(); !message.includes('STATUS=ill'); message = await next()) {
    t.same(message.toSorted(), [pid, 'WATCHDOG=1'], 'was on its way already');
  }
  t.same((await next()).toSorted(), [pid, 'STATUS=still ill'], 'nothing in between');
});

t.test('leaves a watchdog alone that is not for this process, or is none', async (t) => {
  for (const watchdog of [
    { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' },
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: 'soon' },
    {},
  ]) {
    const notify = notifier({ NOTIFY_SOCKET: '/nowhere', ...watchdog }, { onProblem: unexpected });
    notify.startWatchdog(() => t.fail('asked'));
    await t.resolves(notify.close(), JSON.stringify(watchdog));
  }
});

t.test('without a supervisor nothing is run', async (t) => {
  const command = join(folder(t), 'none');
  const notify = notifier({ WATCHDOG_USEC: '1000' }, { onProblem: unexpected, command });
  await notify.ready('x');
  await notify.status('x');
  notify.startWatchdog(() => t.fail('asked'));
  await notify.stopping();
  await t.resolves(notify.close());
});

t.test('a message that cannot be sent is reported once, and never fails the caller', async (t) => {
  const command = join(folder(t), 'none');
  const problems: Error[] = [];
  const notify = notifier({ NOTIFY_SOCKET: '/nowhere' }, { onProblem: (problem) => problems.push(problem), command });
  await notify.ready();
  await notify.stopping();
  t.equal(problems.length, 1);
  t.equal(problems[0]?.message, `cannot notify /nowhere with ${command}`);
  t.match(problems[0]?.cause, { message: 'no such program' });
});

t.test('the reason of systemd-notify is kept', async (t) => {
  if (!need(t, 'systemd-notify')) return;
  const problems: Error[] = [];
  const socket = join(folder(t), 'none');
  const notify = notifier(
    { ...process.env, NOTIFY_SOCKET: socket },
    { onProblem: (problem) => problems.push(problem) },
  );
  await notify.ready();
  t.match(problems, [{ message: `cannot notify ${socket} with systemd-notify`, cause: { message: /No such file/ } }]);
});

t.test('a flood of messages is bounded', async (t) => {
  const place = folder(t);
  const command = join(place, 'count');
  writeFileSync(command, `#!/bin/sh\necho "$*" >>"${place}/runs"\n`);
  chmodSync(command, 0o755);
  const problems: Error[] = [];
  const env = { ...process.env, NOTIFY_SOCKET: '/nowhere' };
  const notify = notifier(env, { onProblem: (problem) => problems.push(problem), command });
  for (let i = 0; i < 1000; i++) notify.status(String(i));
  await notify.close();
  const runs = readFileSync(join(place, 'runs'), 'utf8').trim().split('\n');
  t.equal(runs.length, 17);
  t.equal(runs[0], `--pid=${process.pid} STATUS=0`);
  t.match(problems, [{ message: 'cannot notify /nowhere: 17 messages wait already' }]);
});
