import { jsonText } from '../../lib/json-text.ts';
import { type JsonObject, parseJson } from '../../lib/json-value.ts';

/** What stands for a value that nobody else should have. */
export const MASK = '***';

/**
 * A trace without secrets: in `request` and `response`, each text, number and boolean of a member whose name contains
 * `pass`, `secret`, `token`, `credential`, `private_key` or `privatekey` is masked, in lists too, and within JSON text as
 * well, even if that was cut off. Text that is no JSON, and all else, stays as it is; the trace itself is not changed.
 * Takes any depth.
 */
export function maskTrace(raw: JsonObject): JsonObject {
  const request = maskedValue(raw.request, 0);
  const response = maskedValue(raw.response, 0);
  if (request === raw.request && response === raw.response) return raw;
  const changed: ReadonlyMap<string, unknown> = new Map([
    ['request', request],
    ['response', response],
  ]);
  // Whatever the names are, `__proto__` included.
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [name, changed.has(name) ? changed.get(name) : value]),
  );
}

const SECRET = /pass|secret|token|credential|private_?key/i;

/** JSON text within JSON text is followed so far; each level is at least as long as all below it. */
const DEEPEST_TEXT = 8;

/** The same value if nothing had to be masked. */
function maskedValue(value: unknown, level: number): unknown {
  if (typeof value === 'string') return maskedText(value, level);
  if (typeof value !== 'object' || value === null) return value;
  const copy = new Copy(level);
  const masked = copy.of(value);
  return copy.isMasked ? masked : value;
}

function maskedText(text: string, level: number): string {
  // A name may be written with escapes.
  if (!SECRET.test(text) && !text.includes('\\u')) return text;
  const first = /[^ \t\r\n\ufeff]/.exec(text)?.[0];
  if (first !== '{' && first !== '[' && first !== '"') return text;
  const parsed = parseJson(text.replace(/^\ufeff/, ''));
  if (parsed === undefined) return maskedPiece(text);
  if (level === DEEPEST_TEXT) return MASK;
  const masked = maskedValue(parsed, level + 1);
  return masked === parsed ? text : jsonText(masked);
}

/** A quoted text, whose end may be missing. It always matches where it begins, so that no text takes longer than its length. */
const QUOTED = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)/gs;
/** What stands between the name of a member and its value, and the value if it is not quoted. */
const BEFORE_VALUE = /^[ \t\r\n]*:[ \t\r\n]*(\[?)[ \t\r\n]*([^ \t\r\n,\]}[{"]*)/;
const BETWEEN_VALUES = /^[ \t\r\n]*,[ \t\r\n]*$/;

/** Masks what follows the name of a secret in something like JSON, and text in it that may hold such a thing itself. */
function maskedPiece(text: string): string {
  let masked = '';
  let end = 0;
  /** What the last quoted text was: the name of a secret, a value in a list of secrets, or neither. */
  let last: 'name' | 'listed' | null = null;
  for (const { 0: quoted, index } of text.matchAll(QUOTED)) {
    const between = text.slice(end, index);
    const before: RegExpExecArray | null = last === 'name' ? BEFORE_VALUE.exec(between) : null;
    const isListed: boolean = before ? before[1] === '[' : last === 'listed' && BETWEEN_VALUES.test(between);
    const isValue: boolean = before?.[0].length === between.length || (before === null && isListed);
    masked += maskedBetween(between, before);
    masked += isValue || (SECRET.test(quoted) && quoted.includes('\\"')) ? `"${MASK}"` : quoted;
    last = isValue ? (isListed ? 'listed' : null) : SECRET.test(quoted) || quoted.includes('\\u') ? 'name' : null;
    end = index + quoted.length;
  }
  const rest = text.slice(end);
  return masked + maskedBetween(rest, last === 'name' ? BEFORE_VALUE.exec(rest) : null);
}

/** A number or a word that follows the name of a secret. */
function maskedBetween(between: string, before: RegExpExecArray | null): string {
  if (!before?.[2]) return between;
  const start = before[0].length - before[2].length;
  return `${between.slice(0, start)}"${MASK}"${between.slice(before[0].length)}`;
}

type Members = Record<string | number, unknown>;

/** A list or object that is being copied, and whether it stands behind the name of a secret. */
interface Open {
  readonly from: Members;
  readonly to: Members;
  readonly names: readonly string[] | null;
  readonly length: number;
  readonly isSecret: boolean;
  next: number;
}

/** Copies a value with its secrets masked, without recursion. */
class Copy {
  isMasked = false;
  readonly #level: number;
  readonly #open: Open[] = [];

  constructor(level: number) {
    this.#level = level;
  }

  of(value: object): unknown {
    const copy = this.#enter(value, false);
    for (let top = this.#open.at(-1); top; top = this.#open.at(-1)) {
      const at = top.next++;
      if (at === top.length) {
        this.#open.pop();
        continue;
      }
      const name = top.names ? top.names[at]! : at;
      const isSecret = typeof name === 'string' ? SECRET.test(name) : top.isSecret;
      put(top.to, name, this.#one(top.from[name], isSecret));
    }
    return copy;
  }

  #one(value: unknown, isSecret: boolean): unknown {
    if (value === null || value === undefined) return value;
    if (typeof value === 'object') return this.#enter(value, isSecret);
    const masked = isSecret ? MASK : typeof value === 'string' ? maskedText(value, this.#level) : value;
    if (masked !== value) this.isMasked = true;
    return masked;
  }

  /** What it holds follows later. */
  #enter(value: object, isSecret: boolean): unknown {
    const isList = Array.isArray(value);
    const names = isList ? null : Object.keys(value);
    const to = isList ? [] : {};
    const length = isList ? value.length : names!.length;
    // Read by number or by name: both are members of their own.
    this.#open.push({ from: value as Members, to: to as Members, names, length, isSecret, next: 0 });
    return to;
  }
}

function put(to: Members, name: string | number, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(to, name, { value, enumerable: true, writable: true, configurable: true });
  else to[name] = value;
}
