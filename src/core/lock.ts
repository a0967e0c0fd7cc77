import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Held as long as this process lives: the kernel lets go of it when the process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a directory for this process alone, or throws with the process id that has it.
 *
 * Whoever wants it listens on a unix socket `in-use.…` of its own in the directory, and then asks all others: unlike a
 * file with a process id a socket cannot outlive its owner, and unlike an abstract socket it is seen from other
 * containers that share the directory. Nobody is overlooked, as everybody listens before asking; a socket that nobody
 * listens on can be removed, as no name comes twice.
 */
export async function lockDirectory(directory: string): Promise<Lock> {
  // The path of a socket may have 107 bytes at most: reached through the open directory it is always short.
  const handle = await open(directory, 'r');
  const pathOf = (name: string) => `/proc/self/fd/${handle.fd}/${name}`;
  const name = `in-use.${process.pid}.${randomBytes(8).toString('hex')}`;
  const mine = { owner: false };
  let server: Server | null = null;
  const release = async () => {
    if (server) await close(server, pathOf(name));
    await handle.close();
  };
  try {
    server = await listen(pathOf(name), () => (mine.owner ? OWNER : WAITING));
    for (let tries = 0; await isContested(directory, name, pathOf); tries++) {
      if (tries === MOST_TRIES) throw new Error('it is taken again and again, wanted a directory of its own');
      await delay(RETRY_MS);
    }
    mine.owner = true;
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

const NAME = /^in-use\.([0-9]+)\.[0-9a-f]{16}$/;
const OWNER = 'owner';
const WAITING = 'waiting';
const ANSWER_MS = 2_000;
const RETRY_MS = 20;
const MOST_TRIES = 100;

/**
 * Whether another one wants the directory too, and has to give way to this one; throws if this one has to. Of two that
 * want it at the same time the one with the lesser name goes on; but it waits for the other to say so, who may have
 * looked before this one came.
 */
async function isContested(directory: string, name: string, pathOf: (name: string) => string): Promise<boolean> {
  const others = (await readdir(directory)).filter((other) => NAME.test(other) && other !== name);
  const answers = await Promise.all(others.map(async (other) => ({ other, answer: await ask(pathOf(other)) })));
  for (const { other, answer } of answers) {
    if (answer === null) await unlink(pathOf(other)).catch(() => {});
    else if (answer === OWNER || (answer === WAITING && other < name)) {
      throw new Error(`found it in use by process ${NAME.exec(other)?.[1]}, wanted a directory of its own`);
    }
  }
  // An answer that breaks off comes from one that gives way.
  return answers.some(({ answer }) => answer !== null);
}

async function listen(path: string, answer: () => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(answer());
  });
  server.unref();
  const early = path.replace('in-use.', 'new.');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Whoever may use the directory may ask.
    server.listen({ path: early, readableAll: true, writableAll: true }, resolve);
  });
  // Seen only now: for a moment there was a socket that nobody listened on, and somebody might have removed it.
  await rename(early, path);
  return server;
}

/** What the listener says, null if there is none. One that takes its time is an owner. */
function ask(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy();
      resolve(OWNER);
    });
    socket.setEncoding('utf8');
    socket.on('data', (data: string) => (text = (text + data).slice(0, 20)));
    socket.on('end', () => resolve(text));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(null);
      else resolve(code === 'EACCES' ? OWNER : text);
    });
  });
}

async function close(server: Server, path: string): Promise<void> {
  await unlink(path).catch(() => {});
  await new Promise((resolve) => server.close(resolve));
}
