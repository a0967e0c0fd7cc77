/**
 * What a writer remembers of answers that do not tell what became of the items.
 *
 * VictoriaLogs stores what comes before a document that it cannot read, and answers nothing: if the whole were sent again
 * for ever, those before it would be stored again for ever. So a request that is answered so twice is taken apart.
 */
export interface Doubt {
  /** The server has told it before, so it is one that does. */
  isTelling: boolean;
  /** First event of the last request that was answered so. */
  suspect: string | null;
  /** Events whose request is being taken apart. */
  apart: ReadonlySet<string>;
}

/** Nothing is in doubt. */
export function noDoubt(): Doubt {
  return { isTelling: false, suspect: null, apart: new Set() };
}

/** Whether a request of these items, which was not told of, is to be taken apart: it was answered so before. */
export function isSearched(doubt: Doubt, items: readonly { readonly id: string }[]): boolean {
  const first = items[0]?.id ?? '';
  if (doubt.apart.has(first)) return true;
  const isRepeated = doubt.suspect === first;
  doubt.suspect = first;
  if (isRepeated) doubt.apart = new Set(items.map(({ id }) => id));
  return isRepeated;
}
