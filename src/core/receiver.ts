/** The beginning of a request: what is known before its body is read. */
export interface PushedHead {
  readonly method: string;
  /** As `node:http` gives them: names in lower case, a character for each byte. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: URLSearchParams;
}

/** A request that was received whole. */
export interface PushedRequest extends PushedHead {
  /** As it came: with any `Content-Encoding` still on it. */
  readonly body: Buffer;
}

/** What a request is answered. */
export interface PushedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text; none for an empty body. */
  readonly body?: string;
}

/** A place on the program's own port to which a source's items are pushed. It checks by itself who may do that. */
export interface Receiver {
  /** Such as `/ingest/cloudevents`. */
  readonly path: string;
  /** Most bytes of a body. */
  readonly maxBody: number;
  /** Methods that are taken, such as `POST`; all others are refused. */
  readonly methods: readonly string[];
  /** The answer to a request whose body need not be read, or null. */
  admit(head: PushedHead): Promise<PushedAnswer | null>;
  /** Resolves with the answer once it may be given. */
  handle(request: PushedRequest): Promise<PushedAnswer>;
  /** Told of a request that was refused before all of it was received, and why. */
  refused(why: string): void;
}

/** Seconds after which a sender may try again, for the header `Retry-After`. */
const RETRY_SECONDS = '5';

/** The answer to what cannot be taken now. */
export function busyAnswer(why: string): PushedAnswer {
  return { status: 503, headers: { 'Retry-After': RETRY_SECONDS }, body: why };
}
