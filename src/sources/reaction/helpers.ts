import { type Addresses, NO_ADDRESSES } from '../../core/addresses.ts';

/** What expressions of a template give; `undefined` is nothing, such as an item that a list does not have. */
export type Value = string | number | boolean | undefined | readonly string[];

export interface Helper {
  /** Names of the arguments. */
  readonly wants: readonly string[];
  /** How many of them there must be, and may be. */
  readonly least: number;
  readonly most: number;
  /** Throws if it cannot work with these values. */
  run(...args: readonly Value[]): Value;
}

/** Neither a text nor a list gets longer than this. */
export const LONGEST_RESULT = 65_536;

/** The helpers of templates by name, with what these addresses tell; they give nothing for what is not known. */
export function createHelpers(addresses: Addresses): ReadonlyMap<string, Helper> {
  const { networkOf, classOf, countryOf, asnOf, organizationOf } = addresses;
  const about = (tell: (address: string) => string | null) =>
    helper(['address'], (value) => tell(text(value)) ?? undefined);
  return new Map<string, Helper>([
    ...TEXT_HELPERS,
    ['network', helper(['address', 'bits4', 'bits6'], (...args) => network(networkOf, args), { least: 1 })],
    ['class', about(classOf)],
    ['country', about(countryOf)],
    ['asn', about(asnOf)],
    ['organization', about(organizationOf)],
  ]);
}

/** The text itself; throws if it is too long for a result. */
export function bounded(text: string): string {
  refuseAbove(text.length);
  return text;
}

/** Those that take one item or a part work on texts as on lists of characters. */
const TEXT_HELPERS: readonly (readonly [string, Helper])[] = [
  ['split', helper(['text', 'separator'], (value, separator) => split(text(value), text(separator)))],
  ['join', helper(['list', 'separator'], (value, separator) => join(list(value), text(separator)))],
  ['slice', helper(['list', 'from', 'to'], slice, { least: 2 })],
  ['first', helper(['list'], (value) => characters(value).at(0))],
  ['last', helper(['list'], (value) => characters(value).at(-1))],
  ['nth', helper(['list', 'index'], (value, index) => characters(value).at(integer(index)))],
  ['length', helper(['list'], (value) => characters(value).length)],
  ['lower', helper(['text'], (value) => bounded(text(value).toLowerCase()))],
  ['upper', helper(['text'], (value) => bounded(text(value).toUpperCase()))],
  ['trim', helper(['text'], (value) => text(value).trim())],
  ['replace', helper(['text', 'old', 'new'], (value, old, by) => replace(text(value), text(old), text(by)))],
  ['default', helper(['text', 'otherwise'], (value, otherwise) => (isTrue(value) ? value : otherwise))],
  ['truncate', helper(['text', 'length'], (value, length) => truncate(text(value), integer(length)))],
  ['eq', helper(['a', 'b'], isEqual)],
  ['includes', helper(['text', 'part'], (value, part) => textOrList(value).includes(text(part)))],
  ['startsWith', helper(['text', 'part'], (value, part) => text(value).startsWith(text(part)))],
  ['endsWith', helper(['text', 'part'], (value, part) => text(value).endsWith(text(part)))],
  ['concat', helper(['a', 'b'], (...parts) => join(parts.map(shown), ''), { least: 1, most: Infinity })],
];

/** What they are called, and what they take. */
export const HELPERS: ReadonlyMap<string, Helper> = createHelpers(NO_ADDRESSES);

function refuseAbove(length: number): void {
  if (length > LONGEST_RESULT) throw new Error(`the result has ${length} characters, wanted at most ${LONGEST_RESULT}`);
}

function helper(wants: readonly string[], run: Helper['run'], count: Partial<Helper> = {}): Helper {
  return { wants, run, least: wants.length, most: wants.length, ...count };
}

function split(value: string, separator: string): readonly string[] {
  if (separator === '') throw new Error('found an empty separator, wanted a text');
  return bounded(value).split(separator);
}

function join(parts: readonly string[], separator: string): string {
  // Worked out beforehand, here and below: the text itself could take gigabytes.
  refuseAbove(parts.reduce((sum, part) => sum + part.length + separator.length, -separator.length));
  return parts.join(separator);
}

function slice(value: Value, from: Value, to: Value): Value {
  const items = characters(value).slice(integer(from), to === undefined ? undefined : integer(to));
  return typeof value === 'string' ? bounded(items.join('')) : items;
}

function replace(value: string, old: string, by: string): string {
  if (old === '') return join(['', ...value, ''], by);
  const count = value.split(old).length - 1;
  refuseAbove(value.length + count * (by.length - old.length));
  return value.replaceAll(old, () => by);
}

function truncate(value: string, length: number): string {
  if (length < 0) throw new Error(`found ${length}, wanted a length`);
  // A character takes two places at most.
  return bounded([...value.slice(0, 2 * length)].slice(0, length).join(''));
}

function isEqual(a: Value, b: Value): boolean {
  if (typeof a === 'object' || typeof b === 'object' || a === undefined || b === undefined) return a === b;
  return String(a) === String(b);
}

/** As in `{{#if}}`. */
function isTrue(value: Value): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** As Handlebars prints it. */
function shown(value: Value): string {
  return value === undefined ? '' : String(value);
}

function network(networkOf: Addresses['networkOf'], [value, ...lengths]: readonly Value[]): string {
  const [ipv4, ipv6] = lengths.map(integer);
  for (const [version, bits, most] of [
    ['IPv4', ipv4, 32],
    ['IPv6', ipv6, 128],
  ] as const) {
    if (bits !== undefined && (bits < 0 || bits > most)) {
      throw new Error(`found ${bits} bits, wanted 0 to ${most} for ${version}`);
    }
  }
  const address = text(value);
  return networkOf(address, { ipv4, ipv6 }) ?? address;
}

function text(value: Value): string {
  if (typeof value === 'object' || value === undefined) throw new Error(`found ${kind(value)}, wanted a text`);
  return String(value);
}

function list(value: Value): readonly string[] {
  if (typeof value !== 'object') throw new Error(`found ${kind(value)}, wanted a list, such as split gives`);
  return value;
}

function textOrList(value: Value): string | readonly string[] {
  return typeof value === 'object' ? value : text(value);
}

/** The items of a list, or the characters of a text: code points, so that no pair of surrogates is cut. */
function characters(value: Value): readonly string[] {
  return typeof value === 'object' ? value : [...text(value)];
}

function integer(value: Value): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new Error(`found ${kind(value)}, wanted a whole number`);
}

function kind(value: Value): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object') return 'a list';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
