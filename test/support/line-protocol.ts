/** A line of line protocol, taken apart; values of fields as they are written, but strings without quotes and escapes. */
export interface ParsedLine {
  readonly measurement: string;
  readonly tags: readonly (readonly [name: string, value: string])[];
  readonly fields: readonly (readonly [name: string, value: string, kind: 'string' | 'other'])[];
  readonly time: string;
}

/**
 * Whose reading of a backslash: to InfluxDB 1 whatever follows one is escaped; to VictoriaMetrics only if that backslash
 * is not escaped itself.
 */
export type Reading = 'influx' | 'victoria';

/** Reads one line; throws with what is wrong with it. Written for tests, from the servers' own rules. */
export function parseLineProtocol(line: string, reading: Reading): ParsedLine {
  if (/[\r\n]/.test(line)) throw new Error('more than one line');
  const [key, rest] = cut(line, ' ', reading);
  const [names, time] = cutFields(rest ?? '');
  const [measurement, ...tagTexts] = parts(key, ',', reading);
  const tags = tagTexts.map((text) => {
    const [name, value, ...more] = parts(text, '=', reading);
    if (!name || !value || more.length > 0) throw new Error(`bad tag ${text}`);
    return [unescaped(name, reading), unescaped(value, reading)] as const;
  });
  if (!measurement) throw new Error('no measurement');
  if (!/^-?[0-9]+$/.test(time)) throw new Error(`bad time ${time}`);
  const fields = names.map(([name, value]) => [unescaped(name, reading), ...fieldValue(value)] as const);
  if (fields.length === 0) throw new Error('no fields');
  return { measurement: unescaped(measurement, reading), tags, fields, time };
}

function isEscaped(text: string, at: number, reading: Reading): boolean {
  if (reading === 'influx') return text[at - 1] === '\\';
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function cut(text: string, delimiter: string, reading: Reading): readonly [string, string | undefined] {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === delimiter && !isEscaped(text, at, reading)) return [text.slice(0, at), text.slice(at + 1)];
  }
  return [text, undefined];
}

function parts(text: string, delimiter: string, reading: Reading): readonly string[] {
  const [first, rest] = cut(text, delimiter, reading);
  return rest === undefined ? [first] : [first, ...parts(rest, delimiter, reading)];
}

/** Fields up to the space outside quotes that stands before the time. */
function cutFields(text: string): readonly [readonly (readonly [string, string])[], string] {
  const fields: (readonly [string, string])[] = [];
  let at = 0;
  for (;;) {
    const equals = findName(text, at);
    const end = text[equals + 1] === '"' ? endOfString(text, equals + 1) : endOfPlain(text, equals + 1);
    fields.push([text.slice(at, equals), text.slice(equals + 1, end)]);
    if (text[end] !== ',') {
      if (text[end] !== ' ') throw new Error(`found ${text[end]} after a field`);
      return [fields, text.slice(end + 1)];
    }
    at = end + 1;
  }
}

function findName(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '=' && text[at - 1] !== '\\') return at;
  throw new Error(`no = in ${text.slice(from)}`);
}

function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  throw new Error('string without end');
}

function endOfPlain(text: string, from: number): number {
  const length = text.slice(from).search(/[, ]/);
  if (length <= 0) throw new Error(`no value in ${text.slice(from)}`);
  return from + length;
}

function fieldValue(text: string): readonly [string, 'string' | 'other'] {
  if (text.startsWith('"')) return [text.slice(1, -1).replace(/\\(["\\])/g, '$1'), 'string'];
  if (!/^(?:-?[0-9]+i|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|true|false)$/.test(text))
    throw new Error(`bad value ${text}`);
  return [text, 'other'];
}

function unescaped(text: string, reading: Reading): string {
  return reading === 'influx' ? text.replace(/\\([,= ])/g, '$1') : text.replace(/\\([,= \\])/g, '$1');
}
