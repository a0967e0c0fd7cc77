/** Lines that are kept, twice over: when one generation is full, the one before it is forgotten. */
const GENERATION = 32_768;
/** Longer lines are rare, and not kept. */
const LENGTH_LIMIT = 512;

/**
 * Remembers what lines became. In a log most lines stand many times, and to look one up costs a tenth of reading it.
 *
 * Lines are looked up by what stands before their list, then by the list: few heads have many lists, and the shorter
 * text is found faster. `make` is given a copy of the line, as the line itself may be a part of a large piece of text,
 * which a memory of a part would keep alive.
 */
export function memo<T>(make: (line: string) => T): (line: string) => T {
  let young = new Map<string, Map<string, T>>();
  let old = young;
  let size = 0;

  function keep(head: string, line: string, at: number): T {
    const copy = copied(line);
    const list = copy.slice(at);
    const value = old.get(head)?.get(list) ?? make(copy);
    if (size >= GENERATION) {
      old = young;
      young = new Map();
      size = 0;
    }
    let lists = young.get(head);
    if (!lists) young.set(copy.slice(0, at), (lists = new Map()));
    lists.set(list, value);
    size += 1;
    return value;
  }

  return (line) => {
    const bracket = line.indexOf('[');
    const at = bracket < 0 ? line.length : bracket;
    const head = line.slice(0, at);
    const known = young.get(head)?.get(line.slice(at));
    if (known !== undefined) return known;
    return line.length > LENGTH_LIMIT ? make(line) : keep(head, line, at);
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of Latin-1 is meant
const ONE_BYTE = /^[\x00-\xff]*$/;

/** The same text with memory of its own. */
function copied(text: string): string {
  const encoding = ONE_BYTE.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}
