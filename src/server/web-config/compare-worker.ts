import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import type { Answer, Question } from './compare.ts';

const port = parentPort;
port?.on('message', ({ id, password, hash }: Question) => {
  port.postMessage({ id, equal: compareSync(password, hash) } satisfies Answer);
});
