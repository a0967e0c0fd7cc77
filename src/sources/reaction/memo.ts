/** Lines that are kept, twice over: when one generation is full, the one before it is forgotten. */
const GENERATION = 16_384;
/** Longer lines are rare, and not kept. */
const LENGTH_LIMIT = 512;

/**
 * Remembers what lines became. In a log most lines stand many times, and to look one up costs a tenth of reading it.
 * `make` is given a copy of the line, as the line itself may be a part of a large piece of text, which a memory of a
 * part would keep alive.
 */
export function memo<T>(make: (line: string) => T): (line: string) => T {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  return (line) => {
    const known = young.get(line);
    if (known !== undefined) return known;
    if (line.length > LENGTH_LIMIT) return make(line);
    const copy = copied(line);
    const value = old.get(copy) ?? make(copy);
    if (young.size >= GENERATION) {
      old = young;
      young = new Map();
    }
    young.set(copy, value);
    return value;
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of Latin-1 is meant
const ONE_BYTE = /^[\x00-\xff]*$/;

/** The same text with memory of its own. */
function copied(text: string): string {
  const encoding = ONE_BYTE.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}
