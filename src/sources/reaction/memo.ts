/** Lines that are kept, twice over: when one generation is full, the one before it is forgotten. */
const GENERATION = 65_536;
/** Longer lines are rare, and not kept. */
const LENGTH_LIMIT = 512;

/** Remembers what lines became: in a log most stand many times, and to look one up costs less than to read it. */
export function memo<T>(make: (line: string) => T): (line: string) => T {
  let young = new Map<string, T>();
  let old = young;
  return (line) => {
    const known = young.get(line);
    if (known !== undefined) return known;
    if (line.length > LENGTH_LIMIT) return make(line);
    const value = old.get(line) ?? make(line);
    if (young.size >= GENERATION) {
      old = young;
      young = new Map();
    }
    young.set(line, value);
    return value;
  };
}
