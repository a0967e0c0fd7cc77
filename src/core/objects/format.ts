import type { StoredObject } from '../../lib/objects/store.ts';

/** How records are told apart within objects. */
export interface ObjectFormat<Raw> {
  /**
   * Whether an object that was put again with more is read on from where it ended. Otherwise it is read again from its
   * beginning, and its records are known by their ids.
   */
  readonly grows: boolean;
  open(object: StoredObject): ObjectContent<Raw>;
}

/** The content of one object. */
export interface ObjectContent<Raw> {
  /**
   * Items that end in this chunk, to be gone through once and before the next chunk comes. May throw a `brokenError`, but
   * not while they are gone through.
   */
  items(chunk: Buffer): Iterable<Raw>;
  /** Items that were given so far. */
  readonly given: number;
  /** Items that end with the content. Throws a `brokenError` if it is not whole. */
  end(): readonly Raw[];
}
