import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { lockDirectory } from '../../src/core/lock.ts';
import { folder } from '../support/cli.ts';

const HEX = '0123456789abcdef';

/** Tries to take the lock, says `won` or why not, and holds it until it is killed. */
const contender = `
import { lockDirectory } from ${JSON.stringify(fileURLToPath(new URL('../../src/core/lock.js', import.meta.url)))};
try {
  await lockDirectory(process.argv[1]);
  console.log('won');
} catch (error) {
  console.log(error.message);
}
setInterval(() => {}, 1_000_000);
`;

interface Contender {
  readonly child: ChildProcess;
  readonly said: string;
}

async function contend(t: Test, directory: string): Promise<Contender> {
  const args = ['--input-type=module', '-e', contender, directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, said: String(said) };
}

/** A socket that nobody listens on, as a process that was killed leaves it. */
async function leaveDeadSocket(directory: string, name: string): Promise<void> {
  const server = createServer();
  server.listen(join(directory, 'early'));
  await once(server, 'listening');
  renameSync(join(directory, 'early'), join(directory, name));
  server.close();
  await once(server, 'close');
}

t.test('who comes second hears who was first', async (t) => {
  const directory = folder(t);
  const lock = await lockDirectory(directory);
  const message = `found it in use by process ${process.pid}, wanted a directory of its own`;
  await t.rejects(lockDirectory(directory), { message });
  const { said } = await contend(t, directory);
  t.equal(said, message, 'another process too');
  await lock.release();
  t.same(readdirSync(directory), []);
  const again = await lockDirectory(directory);
  await again.release();
});

t.test('after kill -9 the next one has it at once', async (t) => {
  const directory = folder(t);
  const { child, said } = await contend(t, directory);
  t.equal(said, 'won');
  await t.rejects(lockDirectory(directory), {
    message: `found it in use by process ${child.pid}, wanted a directory of its own`,
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.equal(readdirSync(directory).length, 1, 'its socket is still there');
  const began = performance.now();
  const lock = await lockDirectory(directory);
  t.ok(performance.now() - began < 1_500, 'nobody was waited for');
  t.equal(readdirSync(directory).length, 1, 'the dead one is gone');
  await lock.release();
});

t.test('of several processes at once exactly one wins, whatever was left behind', async (t) => {
  const directory = folder(t);
  for (let round = 0; round < 3; round++) {
    const contenders = await Promise.all(Array.from({ length: 5 }, () => contend(t, directory)));
    const winners = contenders.filter(({ said }) => said === 'won');
    t.equal(winners.length, 1, contenders.map(({ said }) => said).join('\n'));
    for (const { child } of contenders) child.kill('SIGKILL');
    await Promise.all(contenders.map(({ child }) => once(child, 'exit')));
  }
});

t.test('of many at once exactly one wins, over and over', async (t) => {
  const directory = folder(t);
  for (let round = 0; round < 30; round++) {
    for (let dead = 0; dead < round % 4; dead++) await leaveDeadSocket(directory, `in-use.${dead + 1}.${HEX}`);
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
    const won = tries.filter((outcome) => outcome.status === 'fulfilled');
    if (won.length !== 1) t.fail(`${won.length} won in round ${round}`);
    for (const { value } of won) await value.release();
    if (readdirSync(directory).length > 0) t.fail(`something was left in round ${round}`);
  }
  t.pass('each round had its winner');
});

t.test('other files are left alone, and long paths are no obstacle', async (t) => {
  const directory = join(folder(t), 'd'.repeat(200));
  mkdirSync(directory);
  const others = ['data.mdb', 'in-use.1.0123', 'in-use.x', 'lock', 'lock.mdb'];
  for (const name of others) writeFileSync(join(directory, name), 'x');
  const lock = await lockDirectory(directory);
  t.same(
    readdirSync(directory)
      .toSorted()
      .filter((name) => !/^in-use\.[0-9]+\.[0-9a-f]{16}$/.test(name)),
    others,
  );
  await lock.release();
  t.same(readdirSync(directory).toSorted(), others);
});

t.test('an owner that does not answer is an owner', async (t) => {
  const directory = folder(t);
  const server = createServer(() => {});
  server.listen(join(directory, `in-use.4242.${HEX}`));
  await once(server, 'listening');
  t.teardown(() => server.close());
  await t.rejects(lockDirectory(directory), {
    message: 'found it in use by process 4242, wanted a directory of its own',
  });
});
