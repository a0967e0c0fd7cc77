import type { ServerResponse } from 'node:http';
import type { FakeObject } from './fake-s3-bucket.ts';
import { errorXml } from './fake-s3-xml.ts';

/** What goes wrong with a call. */
export type Fault =
  /** An error as S3 has them, such as 503 `SlowDown`, 500 `InternalError`, 403 `AccessDenied`. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      /** Further elements of the answer. */
      readonly more?: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** An answer of something that is not S3. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly type: string;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is reset without an answer. */
  | { readonly kind: 'reset' }
  /** The answer's headers and so many bytes of its body come, then the connection is reset. */
  | { readonly kind: 'reset-body'; readonly at: number }
  /** The answer's headers and so many bytes of its body come, then the connection is closed in good order. */
  | { readonly kind: 'cut'; readonly at: number }
  /** The answer's headers and so many bytes of its body come, then nothing; -1: no headers either. */
  | { readonly kind: 'hang'; readonly at: number }
  /** The body comes in pieces of so many bytes, each so many milliseconds after the one before. */
  | { readonly kind: 'slow'; readonly bytes: number; readonly everyMs: number };

/** An answer as it would be without any fault. */
export interface Draft {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An error answer of S3. */
export function errorDraft(error: Extract<Fault, { kind: 'error' }>, resource: string): Draft {
  const body = Buffer.from(errorXml({ message: error.message ?? error.code, ...error }, resource));
  return { status: error.status, headers: { 'content-type': 'application/xml', ...error.headers }, body };
}

/** The answer that carries an object. */
export function objectDraft(object: FakeObject): Draft {
  const headers = {
    'content-type': 'application/octet-stream',
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modified).toUTCString(),
    'accept-ranges': 'bytes',
    ...object.headers,
  };
  return { status: 200, headers, body: object.body() };
}

/** Sends an answer, or what a fault makes of it. */
export function send(response: ServerResponse, draft: Draft, fault: Fault | null, resource: string): void {
  if (fault === null) {
    whole(response, draft);
    return;
  }
  switch (fault.kind) {
    case 'error':
      whole(response, errorDraft(fault, resource));
      break;
    case 'answer':
      whole(response, {
        status: fault.status,
        headers: { 'content-type': fault.type, ...fault.headers },
        body: Buffer.from(fault.body),
      });
      break;
    case 'reset':
      response.socket?.resetAndDestroy();
      break;
    case 'slow':
      begin(response, draft);
      dribble(response, draft.body, fault);
      break;
    default:
      if (fault.at < 0) break;
      begin(response, draft);
      // The rest happens once these bytes have left.
      response.write(draft.body.subarray(0, fault.at), () => {
        if (fault.kind === 'cut') response.socket?.end();
        if (fault.kind === 'reset-body') response.socket?.resetAndDestroy();
      });
  }
}

function begin(response: ServerResponse, { status, headers, body }: Draft): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length), 'x-amz-request-id': 'FAKE' });
  response.flushHeaders();
}

function whole(response: ServerResponse, draft: Draft): void {
  begin(response, draft);
  response.end(draft.body);
}

function dribble(response: ServerResponse, body: Buffer, { bytes, everyMs }: Extract<Fault, { kind: 'slow' }>): void {
  let at = 0;
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer);
    response.write(body.subarray(at, (at += bytes)));
    if (at < body.length) return;
    clearInterval(timer);
    response.end();
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}
