import { createHash } from 'node:crypto';
import type { Label } from './labels.ts';
import type { Escaping } from './negotiate.ts';

/** Longest name that is shown whole, in UTF-16 units. */
export const NAME_LIMIT = 256;

/** Whether a metric may have this name in the old charset: `[a-zA-Z_:][a-zA-Z0-9_:]*`. */
export function isLegacyMetricName(name: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
}

/** Whether a label may have this name in the old charset, which is that of metrics without the colon. */
export function isLegacyLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
}

/**
 * The name that a metric has for a scraper: its own where the old charset has it or the scraper takes UTF-8, else
 * escaped. A sample's suffix, such as `_bucket`, is put behind that. Throws if the name is empty.
 *
 * Different names can come out as one, which breaks a scrape: always with `underscores`, and with `dots` unless the
 * only foreign character is the dot and no name holds `_dot_` or `__` itself; with `values` only where a name itself
 * begins with `U__`. So check all names of a catalogue once, when they are declared.
 */
export function metricName(name: string, escaping: Escaping): string {
  const bound = boundName(name);
  return isLegacyMetricName(bound) ? bound : escapeName(bound, escaping);
}

/**
 * The name that a label has for a scraper; as `metricName`. Other than prometheus/common, which lets a colon through,
 * this escapes it: Prometheus refuses the whole scrape for a label with a colon.
 */
export function labelName(name: string, escaping: Escaping): string {
  const bound = boundName(name);
  return isLegacyLabelName(bound) ? bound : escapeWith(bound, escaping, LABEL_CHARS);
}

/**
 * A name escaped by one of the schemes, character for character as prometheus/common does (`model.EscapeName`):
 * - `underscores`: each foreign character becomes `_`;
 * - `dots`: `.` becomes `_dot_`, `_` and each foreign character `__`, even in names that need no escaping;
 * - `values`: `U__` and the name, with `_` as `__` and each foreign character as `_`, its code in hex, `_`; names that
 *   need no escaping stay as they are;
 * - `allow-utf-8`: nothing is escaped.
 *
 * What comes out is legal in the old charset, or for `allow-utf-8` well-formed.
 */
export function escapeName(name: string, escaping: Escaping): string {
  return escapeWith(name, escaping, METRIC_CHARS);
}

/** A metric's name as it stands in `# TYPE`, `# HELP` and `# UNIT` of both text formats: quoted if it is foreign. */
export function writtenMetricName(name: string): string {
  return isLegacyMetricName(name) ? name : quote(name);
}

/** A label's name as it stands before `=` in both text formats: quoted if it is foreign. */
export function writtenLabelName(name: string): string {
  return isLegacyLabelName(name) ? name : quote(name);
}

/**
 * A series as it stands before its value in both text formats: `name{labels}`, or `{"my.name",labels}` if the name is
 * foreign. `labels` is the text between the braces, already escaped, and may be empty.
 */
export function writtenSeries(name: string, labels: string): string {
  if (isLegacyMetricName(name)) return labels === '' ? name : `${name}{${labels}}`;
  return labels === '' ? `{${quote(name)}}` : `{${quote(name)},${labels}}`;
}

/**
 * The labels of the text between the braces of a series, as `labelText` writes it; names may be quoted. For those who
 * have only that text and need the labels themselves, as protobuf does. Throws if the text is none of that kind.
 */
export function readLabelText(text: string): Label[] {
  const labels: Label[] = [];
  const next = /(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\\n]|\\["\\n])*)")="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (next.lastIndex < text.length) {
    const at = next.lastIndex;
    const match = next.exec(text);
    // A comma leads to a further label.
    if (!match || (match[4] === ',' && next.lastIndex === text.length)) {
      throw new Error(`character ${at}: found ${JSON.stringify(text.slice(at, at + 40))}, wanted name="value"`);
    }
    labels.push([match[1] ?? unquote(match[2] ?? ''), unquote(match[3] ?? '')]);
  }
  return labels;
}

const METRIC_CHARS = /[a-zA-Z0-9_:]/;
const LABEL_CHARS = /[a-zA-Z0-9_]/;

function escapeWith(name: string, escaping: Escaping, legal: RegExp): string {
  const text = name.toWellFormed();
  if (escaping === 'allow-utf-8') return text;
  const chars = [...text];
  const isForeign = (char: string, index: number) => !legal.test(char) || (index === 0 && /[0-9]/.test(char));
  if (escaping === 'underscores') return chars.map((char, i) => (isForeign(char, i) ? '_' : char)).join('');
  if (escaping === 'dots') {
    return chars.map((char, i) => (char === '.' ? '_dot_' : char === '_' || isForeign(char, i) ? '__' : char)).join('');
  }
  if (!chars.some(isForeign)) return text;
  const code = (char: string) => `_${char.codePointAt(0)!.toString(16)}_`;
  return `U__${chars.map((char, i) => (char === '_' ? '__' : isForeign(char, i) ? code(char) : char)).join('')}`;
}

/** An over-long name keeps its beginning, and the hash of the whole keeps different ones apart. */
function boundName(name: string): string {
  if (name === '') throw new Error('found an empty name, wanted a metric or label name of at least one character');
  if (name.length <= NAME_LIMIT) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${name.slice(0, NAME_LIMIT - 13).toWellFormed()}_${hash}`;
}

function quote(name: string): string {
  const text = name.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${text}"`;
}

function unquote(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
