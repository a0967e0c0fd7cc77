import { type ObjectStore, type StoredObject, storeError } from '../../lib/objects/store.ts';

/** The content of an object, in memory where it is small, or why it could not be had. */
export type Fetched = { readonly body: AsyncIterable<Buffer> } | { readonly error: unknown };

/** An object is fetched ahead as a whole if it is not larger than this. */
export const WHOLE_BYTES = 4 * 1024 * 1024;

/** Fetches an object; one that is large comes when it is gone through. Never rejects. */
export async function fetchObject(store: ObjectStore, object: StoredObject, signal: AbortSignal): Promise<Fetched> {
  const body = bodyOf(store, object, signal);
  if (object.size > WHOLE_BYTES) return { body };
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= WHOLE_BYTES) continue;
      const found = `${store.name} gives more of ${JSON.stringify(object.key)} than it lists`;
      throw storeError(found, { kind: 'changed' });
    }
    return { body: asIterable(chunks) };
  } catch (error) {
    return { error };
  }
}

/** Nothing is asked for before the first chunk is. */
async function* bodyOf(store: ObjectStore, object: StoredObject, signal: AbortSignal): AsyncGenerator<Buffer> {
  yield* await store.get(object, signal);
}

async function* asIterable(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
