import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from './within.ts';

/** How long a server may take for a connection and its first answer, in milliseconds. */
const KNOCK_MS = 10_000;

/** Bolt's magic number, and four versions to choose from: 5.0 to 5.4, 4.4, and none twice. */
const HANDSHAKE = Buffer.from('6060b01700040405000004040000000000000000', 'hex');

export interface KnockOptions {
  readonly isEncrypted: boolean;
  readonly signal: AbortSignal;
  readonly limitMs?: number;
}

/**
 * Throws if a server takes a connection and then says nothing: the driver waits for its first answer without a limit, and
 * keeps that connection, one more at each try, until the process ends. Whatever else goes wrong is left to the driver to
 * tell.
 */
export async function knock(uri: string, { isEncrypted, signal, limitMs = KNOCK_MS }: KnockOptions): Promise<void> {
  const { hostname, port } = new URL(`http://${uri.slice(uri.indexOf('://') + 3)}`);
  const place = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 7687) };
  // Nothing is told to whoever answers, so it need not prove who it is.
  const socket = isEncrypted ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
  const answered = new Promise<void>((resolve) => {
    for (const event of ['data', 'error', 'close'] as const) socket.once(event, () => resolve());
    socket.once(isEncrypted ? 'secureConnect' : 'connect', () => socket.write(HANDSHAKE));
  });
  // One that is destroyed may still fail.
  socket.on('error', () => {});
  try {
    await within(answered, { ms: limitMs, signal });
  } finally {
    socket.destroy();
  }
}
