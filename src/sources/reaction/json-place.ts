/**
 * The offset of the first token that is wrong in a text which `JSON.parse` refused; the text's length where it ends
 * too early. V8 itself names a place for some mistakes only.
 */
export function jsonMistake(text: string): number {
  const open: string[] = [];
  let wanted: readonly Kind[] = ['value'];
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    const end = tokenEnd(text, at);
    const kind = kindOf(text, at, wanted);
    if (at === end || kind === null) return at;
    if (kind === 'open') open.push(text[at] === '{' ? '}' : ']');
    if (kind === 'close' && open.pop() !== text[at]) return at;
    wanted = after(kind, text[at], open.at(-1));
    if (wanted.length === 0) return skipSpace(text, end);
    at = end;
  }
}

type Kind = 'value' | 'open' | 'close' | 'key' | 'colon' | 'comma';

/** What kind of token stands there, if it is one that is wanted. A value may also be an opening bracket. */
function kindOf(text: string, at: number, wanted: readonly Kind[]): Kind | null {
  const first = text[at] ?? '';
  const isWanted = (kind: Kind): boolean => wanted.includes(kind);
  if (first === '{' || first === '[') return isWanted('value') ? 'open' : null;
  if (first === '}' || first === ']') return isWanted('close') ? 'close' : null;
  if (first === ':') return isWanted('colon') ? 'colon' : null;
  if (first === ',') return isWanted('comma') ? 'comma' : null;
  if (first === '"' && isWanted('key')) return 'key';
  return isWanted('value') ? 'value' : null;
}

/** What may follow; nothing once the outermost value is complete. */
function after(kind: Kind, token: string | undefined, open: string | undefined): readonly Kind[] {
  if (kind === 'open') return token === '{' ? ['key', 'close'] : ['value', 'close'];
  if (kind === 'key') return ['colon'];
  if (kind === 'colon') return ['value'];
  if (kind === 'comma') return open === '}' ? ['key'] : ['value'];
  return open === undefined ? [] : ['comma', 'close'];
}

const scalar = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The end of the token there; the same place if it is broken. */
function tokenEnd(text: string, at: number): number {
  if (at >= text.length) return at;
  if ('{}[]:,'.includes(text[at] ?? '')) return at + 1;
  if (text[at] !== '"') return endOf(scalar, text, at);
  let end = at + 1;
  while (text[end] !== '"') {
    const next = text[end] === '\\' ? endOf(escaped, text, end) : end + 1;
    if (next === end || (text[end] ?? '') < ' ') return at;
    end = next;
  }
  return end + 1;
}

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\n\r'.includes(text[at] ?? '-')) at++;
  return at;
}
