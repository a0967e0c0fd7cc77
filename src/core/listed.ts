/** A type of source or writer by its name. What it is made of is loaded when it is asked for: few are needed at once. */
export interface Listed<T> {
  readonly type: string;
  load(): Promise<T>;
}

/** Loads what is listed, in its order: all of it, or only these types. */
export function loadListed<T>(list: readonly Listed<T>[], types?: ReadonlySet<string>): Promise<readonly T[]> {
  return Promise.all(list.filter(({ type }) => types?.has(type) ?? true).map(({ load }) => load()));
}
