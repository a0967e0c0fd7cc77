import type { Tree } from './documents.ts';
import { patternNames, patternNamesWithoutSection } from './pattern-names.ts';

/** A pattern as configured under `patterns`: `kind` is its `type` (since 2.2), `regex` what it must match. */
export interface PatternSetting {
  readonly name: string;
  readonly kind: 'ip' | 'ipv4' | 'ipv6' | 'regex';
  readonly regex: string | null;
}

export interface ActionSetting {
  readonly name: string;
  /** The argument list, with `<pattern>` in it; null for an action of a plugin. */
  readonly cmd: readonly string[] | null;
  /** It has `after`: it runs some time after its match. */
  readonly delayed: boolean;
}

export interface FilterSetting {
  readonly stream: string;
  readonly name: string;
  /** Names of the patterns of its regexes in byte order, which is the order of the values in a match line. */
  readonly patterns: readonly string[];
  readonly actions: ReadonlyMap<string, ActionSetting>;
}

export interface StreamSetting {
  readonly name: string;
  readonly filters: ReadonlyMap<string, FilterSetting>;
}

/** What we need to know of a configuration of reaction. */
export interface Settings {
  readonly patterns: ReadonlyMap<string, PatternSetting>;
  readonly streams: ReadonlyMap<string, StreamSetting>;
  /** The first argument of each start command. */
  readonly start: readonly string[];
  /** The first argument of each stop command. */
  readonly stop: readonly string[];
  /** What was skipped or doubtful, each with its place. */
  readonly warnings: readonly string[];
}

/** Nothing is known: names are shown as logged, there are no pattern labels. */
export const NO_SETTINGS: Settings = { patterns: new Map(), streams: new Map(), start: [], stop: [], warnings: [] };

/**
 * Settings from the parsed configuration, as `reaction test-config` prints it (https://reaction.ppom.me/reference).
 * Foreign keys are ignored; what has an odd shape is skipped with a warning. Never throws.
 */
export function readSettings(document: Tree): Settings {
  const warnings: string[] = [];
  const root = new Place(document, '', warnings);
  if (root.value !== null) root.isMapOrOdd();
  const section = root.at('patterns');
  const patterns = new Map<string, PatternSetting>();
  for (const [name, place] of section.entries()) patterns.set(name, readPattern(name, place));
  // `patterns: {}` is a section too: then `<word>` is no pattern but text.
  const known = section.value === null ? null : [...patterns.keys()];
  const streams = new Map<string, StreamSetting>();
  for (const [name, place] of root.at('streams').entries()) {
    if (!place.isMapOrOdd()) continue;
    const filters = new Map<string, FilterSetting>();
    for (const [filter, inner] of place.at('filters').entries()) {
      if (inner.isMapOrOdd()) filters.set(filter, readFilter(name, filter, { place: inner, known }));
    }
    streams.set(name, { name, filters });
  }
  return { patterns, streams, start: readCommands(root.at('start')), stop: readCommands(root.at('stop')), warnings };
}

/** Byte order of UTF-8, in which reaction sorts names: `Zone` before `addr`. */
export function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function readPattern(name: string, place: Place): PatternSetting {
  // Even a pattern that cannot be read keeps its name: the order of the values depends on it.
  if (!place.isMapOrOdd()) return { name, kind: 'regex', regex: null };
  const type = place.at('type').text();
  if (type === 'ip' || type === 'ipv4' || type === 'ipv6') return { name, kind: type, regex: null };
  if (type !== null && type !== 'regex') place.at('type').odd('ip, ipv4, ipv6 or regex');
  else if (place.at('regex').value === null) place.at('regex').odd('a regex');
  return { name, kind: 'regex', regex: place.at('regex').text() };
}

function readFilter(
  stream: string,
  name: string,
  { place, known }: { place: Place; known: readonly string[] | null },
): FilterSetting {
  const regexes = [...place.at('regex').texts()];
  for (const [, field] of place.at('options').at('fields').entries()) regexes.push(...field.at('regex').texts());
  const names = known === null ? patternNamesWithoutSection(regexes) : patternNames(regexes, known);
  const actions = new Map<string, ActionSetting>();
  for (const [action, inner] of place.at('actions').entries()) {
    if (!inner.isMapOrOdd()) continue;
    actions.set(action, { name: action, cmd: inner.at('cmd').list(), delayed: inner.at('after').value !== null });
  }
  return { stream, name, patterns: [...names].sort(byteOrder), actions };
}

function readCommands(place: Place): readonly string[] {
  const firsts: string[] = [];
  for (const command of place.items()) {
    const first = command.list()?.[0];
    if (first !== undefined) firsts.push(first);
  }
  return firsts;
}

const MOST_WARNINGS = 100;

/** A value within the document that knows its path, so that each complaint can name it. Absent and null are one. */
class Place {
  readonly value: Tree;
  readonly path: string;
  readonly #warnings: string[];

  constructor(value: Tree, path: string, warnings: string[]) {
    this.value = value;
    this.path = path;
    this.#warnings = warnings;
  }

  isMapOrOdd(): boolean {
    const isMap = this.value instanceof Map;
    if (!isMap) this.odd('a map');
    return isMap;
  }

  at(key: string): Place {
    return this.#inner((this.value instanceof Map ? this.value.get(key) : null) ?? null, key);
  }

  entries(): readonly (readonly [string, Place])[] {
    if (this.value instanceof Map) return [...this.value].map(([key, value]) => [key, this.#inner(value, key)]);
    if (this.value !== null) this.odd('a map');
    return [];
  }

  items(): readonly Place[] {
    if (Array.isArray(this.value)) return this.value.map((value, index) => this.#inner(value, `${index}`));
    if (this.value !== null) this.odd('a list');
    return [];
  }

  /** Null if absent or odd. */
  text(): string | null {
    if (typeof this.value === 'string') return this.value;
    if (this.value !== null) this.odd('a text');
    return null;
  }

  /** One text, or a list of texts. */
  texts(): readonly string[] {
    return (Array.isArray(this.value) ? this.items() : [this]).flatMap((item) => item.text() ?? []);
  }

  /** A list of which every item is a text, null if absent or odd. */
  list(): readonly string[] | null {
    const items = this.items();
    const texts = items.flatMap((item) => item.text() ?? (item.value === null ? '' : []));
    return Array.isArray(this.value) && texts.length === items.length ? texts : null;
  }

  odd(wish: string): void {
    if (this.#warnings.length >= MOST_WARNINGS) return;
    this.#warnings.push(`${this.path || 'the configuration'}: found ${shown(this.value)}, wanted ${wish}`);
  }

  #inner(value: Tree, key: string): Place {
    return new Place(value, this.path === '' ? key : `${this.path}.${key}`, this.#warnings);
  }
}

function shown(value: Tree): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  return Array.isArray(value) ? 'a list' : 'a map';
}
