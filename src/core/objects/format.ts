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
  /** Items that end in this chunk. May throw a `brokenError`. */
  items(chunk: Buffer): readonly Raw[];
  /** Items that end with the content. Throws a `brokenError` if it is not whole. */
  end(): readonly Raw[];
}
