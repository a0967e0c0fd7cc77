import { lstat, open, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Held as long as this process lives: the kernel lets go of it when the process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

const NAME = 'lock';

/**
 * Takes a directory for this process alone, or throws with the process id that has it.
 *
 * The lock is a listening unix socket in the directory: unlike a file with a process id it cannot outlive its owner,
 * and unlike an abstract socket it is seen from other containers that share the directory.
 */
export async function lockDirectory(directory: string): Promise<Lock> {
  // The path of a socket may have 107 bytes at most: reached through the open directory it is always short.
  const handle = await open(directory, 'r');
  const path = `/proc/self/fd/${handle.fd}/${NAME}`;
  try {
    for (let tries = 0; ; tries++) {
      const server = await listen(path);
      if (server) return { release: () => release(server, path, () => handle.close()) };
      const owner = await askOwner(path);
      if (owner !== null) throw new Error(`found it in use by process ${owner}, wanted a directory of its own`);
      if (tries >= 3) throw new Error(`cannot take ${join(directory, NAME)}: it is taken again and again`);
      await removeSocket(path);
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function listen(path: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

/** The process id that the owner tells, `?` if it does not answer, null if there is none. */
async function askOwner(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(2_000, () => {
      socket.destroy();
      resolve('?');
    });
    socket.setEncoding('utf8');
    socket.on('data', (data: string) => (text = (text + data).slice(0, 20)));
    socket.on('end', () => resolve(text || '?'));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? null : '?'),
    );
  });
}

async function removeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found && !found.isSocket())
    throw new Error(`found a file named ${NAME}, wanted the socket of this program or nothing`);
  await unlink(path).catch(() => {});
}

async function release(server: Server, path: string, close: () => Promise<void>): Promise<void> {
  await unlink(path).catch(() => {});
  await new Promise((resolve) => server.close(resolve));
  await close();
}
