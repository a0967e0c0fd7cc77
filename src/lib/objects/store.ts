/** An object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  /** Changes whenever the content does; without quotes. */
  readonly etag: string;
  /** Bytes as stored. */
  readonly size: number;
  /** When it was last put there, in milliseconds since 1970, by the store's clock. */
  readonly modified: number;
}

/** What is asked for in a listing. Keys come in the order of their UTF-8 bytes. */
export interface ListQuery {
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly startAfter?: string;
  /** Keys that hold a slash behind the prefix come as `folders` instead, each once, up to and with that slash. */
  readonly folders?: boolean;
  /** Goes on with the listing whose last page had this as `next`. */
  readonly next?: string;
}

/** A page of a listing: at most 1,000 objects and folders. */
export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly folders: readonly string[];
  /** Leads to the next page; null for the last one. */
  readonly next: string | null;
  /** The time of the store's clock, in milliseconds since 1970; null if it does not tell. */
  readonly time: number | null;
}

/** A bucket, or a folder that is laid out as one. */
export interface ObjectStore {
  /** What it is called in messages: `bucket NAME at HOST`, or `directory PATH`. */
  readonly name: string;
  /** Rejects with an error that `failureOf` understands; its message says what could not be done, why, and what to do. */
  list(query: ListQuery, signal: AbortSignal): Promise<ListPage>;
  /**
   * The content of an object as it was listed, in chunks. Rejects, or breaks off, with an error that `failureOf`
   * understands. Who stops early has to end the iteration, which lets go of the connection.
   */
  get(object: StoredObject, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  close(): void;
}

/**
 * Why a call failed: `gone`: there is no such object any more; `changed`: it is no longer the one that was listed;
 * `store`: all else, which is no fault of the object, and may be over later.
 */
export type FailureKind = 'gone' | 'changed' | 'store';

/** An error of a store; its `kind` is set by the store. */
export interface StoreError extends Error {
  readonly kind: FailureKind;
  /** Milliseconds that the store asks to be left alone; null if it does not. */
  readonly waitMs: number | null;
}

/** An error of a store. */
export function storeError(
  message: string,
  { kind, waitMs = null, cause }: { kind: FailureKind; waitMs?: number | null; cause?: unknown },
): StoreError {
  return Object.assign(new Error(message, { cause }), { kind, waitMs });
}

/** What an error of a store means; any other error is one of the `store`. */
export function failureOf(error: unknown): Pick<StoreError, 'kind' | 'waitMs'> {
  const { kind = 'store', waitMs = null } = error as Partial<StoreError>;
  return { kind, waitMs };
}
