import { execFileSync, spawn } from 'node:child_process';
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import type { Test } from 'tap';
import { program } from './services.ts';
import { type Keys, signedHeaders } from './sign-v4.ts';
import { freePort } from './time-series.ts';
import { eventually } from './trailgauge.ts';

/** An answer of MinIO as it came. */
export interface MinioAnswer {
  readonly status: number;
  /** `X-Amz-Request-Id`; empty if there is none. */
  readonly id: string;
  readonly body: Buffer;
}

/** MinIO, started for a test, with its audit log posted to the test. */
export interface Minio {
  readonly url: string;
  /** File of the certificate that it shows (PEM). */
  readonly ca: string;
  readonly root: Keys;
  /** Audit records as they were posted, in that order. */
  readonly records: readonly string[];
  /** A client of the AWS SDK that tries each call once. */
  client(keys: Keys): S3Client;
  /** A request that the SDK does not make. */
  ask(method: string, url: URL, body?: Buffer): Promise<MinioAnswer>;
  /** A request to the admin API, as the root user. */
  admin(call: AdminCall): Promise<MinioAnswer>;
}

export interface AdminCall {
  /** Below `/minio/admin/v3/`. */
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The body is encrypted, as it holds a secret. */
  readonly secret?: boolean;
}

/** Starts MinIO on one empty drive, with TLS; needs `minio` and `openssl`. It ends with the test. */
export async function startMinio(t: Test): Promise<Minio> {
  const root = { access: 'root-of-test', secret: 'not-a-real-secret' };
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  const ca = certificate(join(folder, 'certs'));
  const trusted = readFileSync(ca);
  const agent = new Agent({ ca: trusted, keepAlive: true });
  const hook = await openHook();
  const [port, console] = [await freePort(), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const stop = launch(folder, root, { port, console, hook: hook.url });
  t.teardown(async () => {
    agent.destroy();
    await stop();
    hook.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const ask = (method: string, url: URL, { body = NOTHING, headers = {} }: Sending = {}) =>
    asked(url, { method, body, headers, trusted });
  const isReady = async () => (await ask('GET', new URL('/minio/health/ready', url)).catch(() => null))?.status === 200;
  await eventually('MinIO to be ready', isReady);
  return {
    url,
    ca,
    root,
    records: hook.records,
    client: ({ access, secret }) =>
      new S3Client({
        endpoint: url,
        region: 'us-east-1',
        forcePathStyle: true,
        maxAttempts: 1,
        credentials: { accessKeyId: access, secretAccessKey: secret },
        requestHandler: { httpsAgent: agent },
      }),
    ask: (method, url, body = NOTHING) => ask(method, url, { body }),
    admin: async ({ name, query, body: content, secret }) => {
      const target = new URL(`/minio/admin/v3/${name}`, url);
      for (const [key, value] of Object.entries(query)) target.searchParams.set(key, value);
      const plain = content === undefined ? NOTHING : Buffer.from(JSON.stringify(content));
      const body = secret ? encrypted(plain, root.secret) : plain;
      return ask('PUT', target, { body, headers: signedHeaders({ method: 'PUT', url: target, body }, root) });
    },
  };
}

const NOTHING = Buffer.alloc(0);

interface Sending {
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Places {
  readonly port: number;
  readonly console: number;
  readonly hook: string;
}

/** Gives what ends it. */
function launch(folder: string, root: Keys, { port, console, hook }: Places): () => Promise<void> {
  const addresses = ['--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${console}`];
  const args = ['server', '--quiet', '--certs-dir', join(folder, 'certs'), ...addresses, join(folder, 'data')];
  const env = {
    HOME: folder,
    MINIO_ROOT_USER: root.access,
    MINIO_ROOT_PASSWORD: root.secret,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
    MINIO_AUDIT_WEBHOOK_ENABLE_TEST: 'on',
    MINIO_AUDIT_WEBHOOK_ENDPOINT_TEST: hook,
  };
  const child = spawn(program('minio') ?? 'minio', args, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve).on('error', resolve));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
}

/** Makes a certificate for this host, under the names that MinIO wants. */
function certificate(folder: string): string {
  mkdirSync(folder);
  const [key, cert] = [join(folder, 'private.key'), join(folder, 'public.crt')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=minio', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(program('openssl') ?? 'openssl', ['req', ...kind, ...name, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return cert;
}

/** Where audit records are posted. */
async function openHook() {
  const records: string[] = [];
  const server = createServer(async (posted, response) => {
    const body = await text(posted);
    records.push(...body.split('\n').filter((line) => line.includes('"api"')));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, records, close };
}

function asked(
  url: URL,
  { method, body, headers, trusted }: Required<Sending> & { readonly method: string; readonly trusted: Buffer },
): Promise<MinioAnswer> {
  return new Promise((resolve, reject) => {
    const options = { method, ca: trusted, headers: { ...headers, 'content-length': body.length }, agent: false };
    const sent = request(url, options, (answer) => {
      const id = String(answer.headers['x-amz-request-id'] ?? '');
      buffer(answer).then((whole) => resolve({ status: answer.statusCode ?? 0, id, body: whole }), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * Encrypts as clients of MinIO's admin API do (madmin, `EncryptData`): a key of PBKDF2 with AES-256-GCM, in pieces of
 * 16 KiB of which this is the first and last one. Its additional data are a mark and the tag of an empty piece before.
 */
function encrypted(plain: Buffer, password: string): Buffer {
  const [salt, nonce] = [randomBytes(32), randomBytes(8)];
  const key = pbkdf2Sync(password, salt, 8_192, 32, 'sha256');
  const cipher = (piece: number) =>
    createCipheriv('aes-256-gcm', key, Buffer.concat([nonce, Buffer.from([piece, 0, 0, 0])]));
  const before = cipher(0);
  before.final();
  const last = cipher(1).setAAD(Buffer.concat([Buffer.from([0x80]), before.getAuthTag()]));
  const sealed = Buffer.concat([last.update(plain), last.final(), last.getAuthTag()]);
  return Buffer.concat([salt, Buffer.from([2]), nonce, sealed]);
}
