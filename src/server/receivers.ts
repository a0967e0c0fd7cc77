import { once } from 'node:events';
import { type IncomingMessage, METHODS } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { busyAnswer, type PushedAnswer, type PushedHead, type Receiver } from '../core/receiver.ts';

/** The receivers while they are served. */
export interface Receiving {
  /** Whether this is the address of a route that checks by itself who may use it. */
  isReceiver(route: string | undefined): boolean;
  /** Takes nothing more, and waits until what was taken is answered, for a while at most. */
  drain(): Promise<void>;
}

/** Bytes of bodies that are in memory at most, over all requests; one alone may have more. */
const MOST_BYTES = 64 * 1024 * 1024;
/** How long a sender that has to stop may go on until it hears of that, in milliseconds. */
const LINGER_MS = 1_000;
const DRAIN_MS = 5_000;

/** Serves receivers. What they are sent is read here, as it comes, and never beyond the limits. */
export function serveReceivers(app: FastifyInstance, receivers: readonly Receiver[]): Receiving {
  const byPath = new Map(receivers.map((receiver) => [receiver.path, receiver]));
  const running = new Set<Promise<unknown>>();
  const memory: Memory = { used: 0, most: Math.max(MOST_BYTES, ...receivers.map(({ maxBody }) => maxBody)) };
  let isClosing = false;

  async function take(receiver: Receiver, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const head = headOf(request);
    if (!receiver.methods.includes(head.method)) return send(reply, wrongMethod(receiver));
    if (isClosing) return send(reply.header('Connection', 'close'), CLOSING);
    const refusal = await receiver.admit(head);
    if (refusal) return send(reply, refusal);
    const share = { held: 0 };
    try {
      const body = await readBody(request.raw, { limit: receiver.maxBody, memory, share });
      if (body === 'gone') return reply.hijack();
      if (body === 'too_large' || body === 'busy') {
        const answer = body === 'busy' ? BUSY : tooLarge(receiver);
        receiver.refused(`${answer.status}, ${answer.body}`);
        return cutOff(request, reply, answer);
      }
      if (isClosing) return send(reply.header('Connection', 'close'), CLOSING);
      noteRunning(reply);
      const answer = await receiver.handle({ ...head, body });
      return send(isClosing ? reply.header('Connection', 'close') : reply, answer);
    } finally {
      memory.used -= share.held;
    }
  }

  /** Until its answer is out. */
  function noteRunning({ raw }: FastifyReply): void {
    if (raw.destroyed) return;
    const closed = once(raw, 'close').catch(() => {});
    running.add(closed);
    void closed.then(() => running.delete(closed));
  }

  void app.register(async (scope) => {
    // Who uses another method is told so, whichever it is.
    const methods = receivers.length === 0 ? [] : METHODS;
    for (const method of methods) if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method);
    for (const receiver of receivers) {
      // All is done before a body would be parsed: what is pushed may say of itself whatever it likes.
      scope.all(receiver.path, { onRequest: (request, reply) => take(receiver, request, reply) }, async () => '');
    }
  });

  return {
    isReceiver: (route) => route !== undefined && byPath.has(route),
    drain: async () => {
      isClosing = true;
      const limit = new AbortController();
      const late = sleep(DRAIN_MS, undefined, { signal: limit.signal }).catch(() => {});
      await Promise.race([Promise.all(running), late]);
      limit.abort();
    },
  };
}

const CLOSING = busyAnswer('the program is being stopped');
const BUSY = busyAnswer('too much is being received');

function wrongMethod({ methods }: Receiver): PushedAnswer {
  return { status: 405, headers: { Allow: methods.join(', ') }, body: `wanted ${methods[0]}` };
}

function tooLarge({ maxBody }: Receiver): PushedAnswer {
  return { status: 413, body: `the body has more than ${maxBody} bytes` };
}

function headOf({ method, raw, url }: FastifyRequest): PushedHead {
  const at = url.indexOf('?');
  return { method, headers: raw.headers, query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)) };
}

function send(reply: FastifyReply, { status, headers = {}, body }: PushedAnswer): FastifyReply {
  reply.code(status).headers(headers);
  return body === undefined ? reply.send() : reply.type('text/plain').send(`${body}\n`);
}

/** Bytes of all bodies that are held. */
interface Memory {
  used: number;
  readonly most: number;
}

interface ReadOptions {
  readonly limit: number;
  readonly memory: Memory;
  /** What this body has of it. */
  readonly share: { held: number };
}

/** A whole body, or why there is none; then the rest of it has not been read. */
function readBody(
  request: IncomingMessage,
  { limit, memory, share }: ReadOptions,
): Promise<Buffer | 'too_large' | 'busy' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve('too_large');
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const take = (chunk: Buffer) => {
      // The only one there is may be as large as one may be.
      const isAlone = memory.used === share.held;
      share.held += chunk.length;
      memory.used += chunk.length;
      if (share.held > limit) end('too_large');
      else if (memory.used > memory.most && !isAlone) end('busy');
      else chunks.push(chunk);
    };
    const whole = () => end(Buffer.concat(chunks));
    const gone = () => end('gone');
    const end = (outcome: Buffer | 'too_large' | 'busy' | 'gone') => {
      request.off('data', take).off('end', whole).off('close', gone).pause();
      resolve(outcome);
    };
    request.on('data', take).on('end', whole).on('close', gone).on('error', gone);
  });
}

/**
 * Answers while the body is still coming, and closes the connection. Not at once: a sender that finds it closed before
 * it has read the answer would not know why.
 */
function cutOff({ raw: request }: FastifyRequest, reply: FastifyReply, answer: PushedAnswer): FastifyReply {
  const text = `${answer.body ?? ''}\n`;
  const { raw } = reply.hijack();
  const headers = {
    ...reply.getHeaders(),
    ...answer.headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  };
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(answer.status);
  raw.write(text);
  const end = () => {
    clearTimeout(timer);
    raw.end();
  };
  const timer = setTimeout(end, LINGER_MS).unref();
  request.once('end', end).once('close', end).resume();
  return reply;
}
