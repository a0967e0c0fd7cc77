import type { ListPage, ObjectStore } from './store.ts';

/** The folders right below a prefix, each with its slash. */
export async function foldersIn(store: ObjectStore, prefix: string, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const query = { prefix, folders: true, ...(next !== undefined && { next }) };
    const page: ListPage = await store.list(query, signal);
    found.push(...page.folders);
    next = page.next;
  }
  return found;
}
