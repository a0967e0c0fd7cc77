import { type ListPage, type ObjectStore, type StoredObject, storeError } from '../../src/lib/objects/store.ts';
import { FakeBucket, md5 } from './fake-s3-bucket.ts';

/** A bucket in memory, with a clock of its own. */
export interface MemoryStore extends ObjectStore {
  /** Milliseconds since 1970; the store tells no time where it is null. */
  clock: () => number | null;
  readonly lists: string[];
  readonly gets: string[];
  /** May throw what goes wrong with a listing. */
  onList: (prefix: string) => void;
  /** May throw what goes wrong with an object, or give another content for it. */
  onGet: (key: string) => Buffer | AsyncIterable<Buffer> | undefined;
  /** Bodies that were begun, and not let go of. */
  readonly open: () => number;
  put(key: string, body: string | Buffer, more?: { readonly modified?: number; readonly etag?: string }): void;
  remove(key: string): void;
}

/** An empty one. */
export function memoryStore(clock: () => number | null, pageKeys = 1_000): MemoryStore {
  const bucket = new FakeBucket();
  let open = 0;

  async function* bodyOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, signal: AbortSignal) {
    open += 1;
    try {
      for await (const chunk of chunks) {
        if (signal.aborted) throw storeError('given up', { kind: 'store' });
        yield chunk;
      }
    } finally {
      open -= 1;
    }
  }

  const store: MemoryStore = {
    name: 'bucket in memory',
    clock,
    lists: [],
    gets: [],
    onList: () => {},
    onGet: () => undefined,
    open: () => open,
    list: async ({ prefix, startAfter = '', folders = false, next }, signal): Promise<ListPage> => {
      await null;
      if (signal.aborted) throw storeError('given up', { kind: 'store' });
      store.lists.push(prefix);
      store.onList(prefix);
      const delimiter = folders ? '/' : '';
      const page = bucket.list({ prefix, delimiter, startAfter, after: next ?? null, maxKeys: pageKeys });
      const objects = page.keys.map((key): StoredObject => {
        const { etag, size, modified } = bucket.get(key)!;
        return { key, etag, size, modified };
      });
      return { objects, folders: page.folders, next: page.next, time: store.clock() };
    },
    get: async (object, signal) => {
      await null;
      store.gets.push(object.key);
      const given = store.onGet(object.key);
      if (given) return bodyOf(Buffer.isBuffer(given) ? [given] : given, signal);
      const found = bucket.get(object.key);
      if (!found) throw storeError('it is no longer there', { kind: 'gone' });
      if (found.etag !== object.etag) throw storeError('it has changed', { kind: 'changed' });
      return bodyOf([found.body()], signal);
    },
    close: () => {},
    put: (key, body, { modified = store.clock() ?? 0, etag } = {}) => {
      const bytes = Buffer.from(body);
      bucket.put(key, { size: bytes.length, etag: etag ?? md5(bytes), modified, headers: {}, body: () => bytes });
    },
    remove: (key) => void bucket.remove(key),
  };
  return store;
}
