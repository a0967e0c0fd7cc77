const BEGIN = /^<!-- generated: (.+) -->$/;
const END = '<!-- end -->';

/**
 * Puts parts into a Markdown text, each between a line `<!-- generated: NAME -->` and the next line `<!-- end -->`, in
 * the place of what is there. Throws with the line for a part that is not known or does not end, and for one without a
 * place.
 */
export function fillGenerated(text: string, parts: ReadonlyMap<string, string>): string {
  const filled: string[] = [];
  const missing = new Set(parts.keys());
  let open: { readonly name: string; readonly line: number } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    if (line === END) open = null;
    if (open === null) filled.push(line);
    const name = BEGIN.exec(line)?.[1];
    if (name === undefined) continue;
    const part = parts.get(name);
    if (part === undefined || open !== null) {
      const wish = open === null ? `one of ${[...parts.keys()].join(', ')}` : `${END} of line ${open.line} before it`;
      throw new Error(`line ${index + 1}: found the generated part ${JSON.stringify(name)}, wanted ${wish}`);
    }
    filled.push('', part.trimEnd(), '');
    missing.delete(name);
    open = { name, line: index + 1 };
  }
  if (open !== null) throw new Error(`line ${open.line}: found no ${END} for the generated part ${open.name}`);
  if (missing.size > 0) throw new Error(`found no place for the generated parts ${[...missing].join(', ')}`);
  return filled.join('\n');
}
