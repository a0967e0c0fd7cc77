export interface JsonTextOptions {
  /** Whether members stand in the order of their names, so that equal values have one text. */
  readonly sorted?: boolean;
}

/** The JSON text of a value that was parsed from JSON, nested however deep: `JSON.stringify` recurses. */
export function jsonText(value: unknown, options: JsonTextOptions = {}): string {
  const pieces: string[] = [];
  writeJson(value, (piece) => pieces.push(piece), options);
  return pieces.join('');
}

/** As `jsonText`, given away piece by piece. */
export function writeJson(
  value: unknown,
  write: (piece: string) => void,
  { sorted = false }: JsonTextOptions = {},
): void {
  const open: Open[] = [];
  const put = (one: unknown) => {
    if (typeof one !== 'object' || one === null) {
      write(scalarText(one));
      return;
    }
    const isList = Array.isArray(one);
    const names = isList ? null : Object.keys(one);
    if (sorted) names?.sort();
    write(isList ? '[' : '{');
    // Read by number or by name: both are members of their own.
    open.push({ members: one as Open['members'], names, length: isList ? one.length : names!.length, next: 0 });
  };
  put(value);
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const at = top.next++;
    if (at === top.length) {
      write(top.names ? '}' : ']');
      open.pop();
      continue;
    }
    if (at > 0) write(',');
    const name = top.names ? top.names[at]! : at;
    if (typeof name === 'string') write(`${JSON.stringify(name)}:`);
    put(top.members[name]);
  }
}

/** A list or object that is being written; `names` is null for a list. */
interface Open {
  readonly members: Readonly<Record<string | number, unknown>>;
  readonly names: readonly string[] | null;
  readonly length: number;
  next: number;
}

/** A number that is too great for JSON's readers is null, as to `JSON.stringify`. */
function scalarText(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}
