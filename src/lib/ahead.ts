/** Something that was begun for an item; it never rejects. */
export interface Begun<T, R> {
  readonly item: T;
  readonly result: Promise<R>;
}

/**
 * Begins work on the next items while the first is gone through, on `most` at once; they come in their order. `begin` has
 * to give a promise that does not reject, as nobody may be left to hear of it. Where the items end with an error, those
 * that came before are given first.
 */
export async function* ahead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  most: number,
  begin: (item: T) => Promise<R>,
): AsyncGenerator<Begun<T, R>> {
  const begun: Begun<T, R>[] = [];
  let failure: { readonly error: unknown } | null = null;
  try {
    for await (const item of items) {
      begun.push({ item, result: begin(item) });
      if (begun.length >= most) yield begun.shift()!;
    }
  } catch (error) {
    failure = { error };
  }
  yield* begun;
  if (failure) throw failure.error;
}

/**
 * The results of a task for all items, in their order, with `most` at once. Where one fails, those before it are given
 * first.
 */
export async function* resultsAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  most: number,
  task: (item: T) => Promise<R>,
): AsyncGenerator<readonly [item: T, result: R]> {
  const settled = (item: T) =>
    task(item).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  for await (const { item, result } of ahead(items, most, settled)) {
    const found = await result;
    if ('error' in found) throw found.error;
    yield [item, found.value];
  }
}
