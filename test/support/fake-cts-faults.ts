import type { ServerResponse } from 'node:http';

/** What goes wrong with a request. */
export type CtsFault =
  /** Another answer than the right one. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Text, bytes, or what becomes JSON. */
      readonly body?: unknown;
    }
  /** The connection is reset without an answer. */
  | { readonly kind: 'reset' }
  /** Half of the right answer comes, then the connection is closed. */
  | { readonly kind: 'cut' }
  /** Nothing comes, or half of the body and then nothing. */
  | { readonly kind: 'hang'; readonly inBody?: boolean }
  /** The right answer, late. */
  | { readonly kind: 'late'; readonly ms: number };

/** An answer before it is sent. */
export interface CtsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** 429, as the gateway says it: with seconds, with a date, or without a word on when to come again. */
export function tooMany(again: number | Date | null = null): CtsFault {
  const retryAfter = again instanceof Date ? again.toUTCString() : String(again);
  return {
    kind: 'answer',
    status: 429,
    headers: again === null ? {} : { 'retry-after': retryAfter },
    body: { error_code: 'APIGW.0308', error_msg: 'The throttling threshold has been reached' },
  };
}

/** An error of the service or of its gateway. */
export function ctsError(status: number, code: string, message = 'something'): CtsFault {
  return { kind: 'answer', status, body: { error_code: code, error_msg: message } };
}

/** Status 200 and another body than the right one. */
export function strange(body: unknown, type = 'application/json'): CtsFault {
  return { kind: 'answer', status: 200, headers: { 'content-type': type }, body };
}

/** JSON, unless it is text or bytes already. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): CtsAnswer {
  const isPlain = typeof body === 'string' || Buffer.isBuffer(body);
  const text = isPlain ? body : body === undefined ? '' : JSON.stringify(body);
  return { status, headers: { 'content-type': 'application/json;charset=utf-8', ...headers }, body: text };
}

/** Sends an answer, or what a fault makes of it. */
export function sendAnswer(response: ServerResponse, answer: CtsAnswer, fault: CtsFault | null): void {
  // Who asked may be gone, killed in the middle of it.
  response.on('error', () => {});
  switch (fault?.kind) {
    case undefined:
      whole(response, answer);
      break;
    case 'answer':
      whole(response, jsonAnswer(fault.status, fault.body, fault.headers));
      break;
    case 'reset':
      response.socket?.resetAndDestroy();
      break;
    case 'late': {
      const timer = setTimeout(() => whole(response, answer), fault.ms);
      response.on('close', () => clearTimeout(timer));
      break;
    }
    case 'cut':
      half(response, answer, () => response.socket?.destroy());
      break;
    default:
      if (fault?.inBody) half(response, answer, () => {});
  }
}

function whole(response: ServerResponse, { status, headers, body }: CtsAnswer): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
}

function half(response: ServerResponse, { status, headers, body }: CtsAnswer, then: () => void): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': String(bytes.length) });
  response.write(bytes.subarray(0, bytes.length >> 1), then);
}
