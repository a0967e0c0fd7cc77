import * as http from 'node:http';
import * as https from 'node:https';
import { rootCertificates } from 'node:tls';
import type { S3Client } from '@aws-sdk/client-s3';

export interface S3Options {
  /** `https://HOST[:PORT]`; null for that of AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly bucket: string;
  /** Null: the usual places of the AWS SDK are searched, such as environment, files and the role of the machine. */
  readonly accessKey: string | null;
  /** Asked for at the first call, and again after the store refused it; never without an access key. */
  readonly secretKey: () => Promise<string>;
  /** The bucket goes into the path, not into the name of the host. */
  readonly pathStyle: boolean;
  /** From a request to the headers of its answer, and for a silence within the body; 30 s, if left out. */
  readonly timeoutMs?: number;
  /** Certificates (PEM) that are trusted beside those of Node.js. */
  readonly ca?: string;
}

/** The module of the SDK; as a type, it is not loaded. */
export type Sdk = typeof import('@aws-sdk/client-s3');

export interface S3Access {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

export interface S3Connector {
  /** Rejects if the keys cannot be had. */
  access(signal: AbortSignal): Promise<S3Access>;
  /** Keys were refused: they are asked for again the next time. */
  forget(access: S3Access): void;
  close(): void;
}

/** A name of an error about keys that could not be had; see `s3Failure`. */
export const NO_KEYS = 'CredentialsProviderError';

const TIMEOUT_MS = 30_000;
/** Tries of a call, the first included: more would only hold up what the caller does about failures. */
const TRIES = 2;
/** More than there are calls at once; those that wait for a connection run into its timeout. */
const SOCKETS = 16;

/** The longest wait of these options, in milliseconds. */
export function timeoutOf({ timeoutMs = TIMEOUT_MS }: S3Options): number {
  return timeoutMs;
}

/** Makes the client of the AWS SDK when it is first needed: loading the SDK takes as long as all else at a start. */
export function s3Connector(options: S3Options): S3Connector {
  const keep = { keepAlive: true, maxSockets: SOCKETS };
  const agents = {
    httpAgent: new http.Agent(keep),
    // A list of one's own replaces the usual one.
    httpsAgent: new https.Agent({ ...keep, ...(options.ca && { ca: [...rootCertificates, options.ca] }) }),
  };
  let current: Promise<S3Access> | null = null;
  let opened: S3Access | null = null;
  return {
    access: async (signal) => {
      current ??= open(options, agents).catch((error: unknown) => {
        current = null;
        throw error;
      });
      const access = await current;
      opened = access;
      // Else the search, which the SDK does within a call, and again when the keys expire, would know no limit.
      if (options.accessKey === null) await within(access.client.config.credentials(), timeoutOf(options), signal);
      return access;
    },
    // The connections stay: other calls may be using them.
    forget: (access) => {
      if (access === opened) current = null;
    },
    close: () => {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

async function open(options: S3Options, agents: Agents): Promise<S3Access> {
  const { endpoint, region, accessKey, pathStyle } = options;
  // It would write to standard error that later releases need a later Node.js, which is no concern of who runs this one.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');
  const credentials = accessKey === null ? null : { accessKeyId: accessKey, secretAccessKey: await secretOf(options) };
  const timeoutMs = timeoutOf(options);
  const client = new sdk.S3Client({
    region,
    ...(endpoint !== null && { endpoint }),
    ...(credentials && { credentials }),
    forcePathStyle: pathStyle,
    maxAttempts: TRIES,
    retryMode: 'standard',
    // Other values are not understood by stores that are not AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      ...agents,
      // From the begin, connecting included. A limit for the connection alone would go on after the call was given up.
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      // It would also count the time in which nobody wants to read.
      socketTimeout: 0,
    },
  });
  return { sdk, client };
}

async function secretOf({ secretKey }: S3Options): Promise<string> {
  try {
    return await secretKey();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(new Error(`the secret key cannot be had: ${reason}`, { cause }), { name: NO_KEYS });
  }
}

/** Waits for a promise that cannot be stopped, but not for longer than this. */
async function within(promise: Promise<unknown>, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const end = new Promise<never>((_resolve, reject) => {
    stop = () => reject(Object.assign(new Error(`no keys within ${timeoutMs / 1_000} s`), { name: NO_KEYS }));
  });
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener('abort', stop);
  try {
    await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
