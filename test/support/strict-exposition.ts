/** One line of an exposition that is no comment. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** An event that the value can be traced to. */
  readonly exemplar?: Exemplar;
  /** The name with its labels, in an order of their own: the same for the same series, and for no other. */
  readonly key: string;
}

/** What stands behind a value in OpenMetrics. */
export interface Exemplar {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/** A metric with all of its samples. */
export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string | null;
  readonly unit: string | null;
  readonly samples: readonly Sample[];
}

/** A whole exposition, by key and by family. */
export interface Exposition {
  readonly families: ReadonlyMap<string, MetricFamily>;
  readonly samples: ReadonlyMap<string, Sample>;
  /** The value of a series, or undefined. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

/** Names a series so that one with the same labels has the same key. */
export function seriesKey(name: string, labels: Iterable<readonly [string, string]> = []): string {
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? name : `${name} ${JSON.stringify(sorted)}`;
}

/**
 * Reads an exposition and throws at the first thing that the format does not allow: Prometheus text 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) or OpenMetrics 1.0 (https://openmetrics.io).
 * Stricter than either where this project promises more: TYPE and HELP for each metric, no timestamps but those of
 * exemplars, which all have one, no blank lines.
 */
export function parseExposition(text: string, format: 'text' | 'openmetrics' = 'text'): Exposition {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the end is not marked by # EOF');
  const families = new Map<string, Draft>();
  const samples = new Map<string, Sample>();
  const owners = new Map<string, string>();
  let family: Draft | null = null;
  lines.forEach((line, index) => {
    try {
      if (line.startsWith('#')) {
        family = comment(line, { families, family, format });
        return;
      }
      const sample = readSample(line);
      if (family?.type === null || !family) throw new Error('no TYPE before it');
      checkName(sample, family, format);
      if (sample.exemplar) checkExemplar(sample, sample.exemplar, family, format);
      if ((owners.get(sample.name) ?? family.name) !== family.name) throw new Error('a sample name of two metrics');
      owners.set(sample.name, family.name);
      if (samples.has(sample.key)) throw new Error('a series twice');
      samples.set(sample.key, sample);
      family.samples.push(sample);
    } catch (error) {
      throw new Error(`line ${index + 1}, ${JSON.stringify(line.slice(0, 300))}: ${message(error)}`, { cause: error });
    }
  });
  const finished = new Map<string, MetricFamily>();
  for (const draft of families.values()) {
    try {
      finished.set(draft.name, checkFamily(draft, format));
    } catch (error) {
      throw new Error(`metric ${draft.name}: ${message(error)}`, { cause: error });
    }
  }
  return {
    families: finished,
    samples,
    value: (name, labels = {}) => samples.get(seriesKey(name, Object.entries(labels)))?.value,
  };
}

type Format = 'text' | 'openmetrics';

interface Draft {
  readonly name: string;
  type: string | null;
  help: string | null;
  unit: string | null;
  readonly samples: Sample[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const TYPES: Readonly<Record<Format, readonly string[]>> = {
  text: ['counter', 'gauge', 'histogram', 'summary', 'untyped'],
  openmetrics: ['counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown'],
};

interface Reading {
  readonly families: Map<string, Draft>;
  readonly family: Draft | null;
  readonly format: Format;
}

/** A line of metadata; gives the metric that the following lines belong to. */
function comment(line: string, { families, family, format }: Reading): Draft {
  const [, kind = '', name = '', rest = ''] = /^# ([A-Z]+) ([^ ]+) (.*)$/.exec(line) ?? [];
  if (!METRIC_NAME.test(name)) throw new Error('no metadata');
  let draft = family;
  if (draft?.name !== name) {
    if (families.has(name)) throw new Error('lines of one metric do not stand together');
    draft = { name, type: null, help: null, unit: null, samples: [] };
    families.set(name, draft);
  }
  if (draft.samples.length > 0) throw new Error('metadata after samples');
  if (kind === 'TYPE' && draft.type === null) {
    if (!TYPES[format].includes(rest)) throw new Error('no such type');
    draft.type = rest;
  } else if (kind === 'HELP' && draft.help === null) {
    draft.help = unescaped(rest, format === 'openmetrics' ? '\\n"' : '\\n');
    if (format === 'openmetrics' && /(?<!\\)(?:\\\\)*"/.test(rest)) throw new Error('a quote that is not escaped');
  } else if (kind === 'UNIT' && draft.unit === null && format === 'openmetrics') {
    if (!name.endsWith(`_${rest}`)) throw new Error('a unit that the name does not end in');
    draft.unit = rest;
  } else throw new Error('unknown or repeated metadata');
  return draft;
}

function readSample(line: string): Sample {
  const name = /^[^{ ]*/.exec(line)?.[0] ?? '';
  if (!METRIC_NAME.test(name)) throw new Error('no metric name');
  const { labels, at } = readLabels(line, name.length);
  if (line[at] !== ' ') throw new Error('no space before the value');
  const mark = line.indexOf(' # ', at + 1);
  const sample = { name, labels, value: readValue(line.slice(at + 1, mark < 0 ? undefined : mark)) };
  const exemplar = mark < 0 ? {} : { exemplar: readExemplar(line, mark + ' # '.length) };
  return { ...sample, ...exemplar, key: seriesKey(name, labels) };
}

function readExemplar(line: string, from: number): Exemplar {
  if (line[from] !== '{') throw new Error('no labels of an exemplar');
  const { labels, at } = readLabels(line, from);
  const [blank, value = '', time = '', ...more] = line.slice(at).split(' ');
  if (blank !== '' || more.length > 0) throw new Error('no exemplar with one value and one time');
  return { labels, value: readValue(value), time: readValue(time) };
}

/** Reads what stands between braces, if anything does; gives the place after it. */
function readLabels(line: string, from: number): { labels: Map<string, string>; at: number } {
  const labels = new Map<string, string>();
  let at = from;
  if (line[at] === '{') {
    do {
      at = readLabel(line, at + 1, labels);
    } while (line[at] === ',');
    if (line[at] !== '}') throw new Error(`no end of the labels at column ${at + 1}`);
    at += 1;
  }
  return { labels, at };
}

/** Reads `name="value"`; gives the place after it. */
function readLabel(line: string, from: number, labels: Map<string, string>): number {
  const equals = line.indexOf('="', from);
  const name = line.slice(from, equals);
  if (equals < 0 || !LABEL_NAME.test(name)) throw new Error(`no label name at column ${from + 1}`);
  if (labels.has(name)) throw new Error(`label ${name} twice`);
  let end = equals + 2;
  while (end < line.length && line[end] !== '"') end += line[end] === '\\' ? 2 : 1;
  if (line[end] !== '"') throw new Error(`no end of the value of ${name}`);
  labels.set(name, unescaped(line.slice(equals + 2, end), '\\n"'));
  return end + 1;
}

function unescaped(text: string, allowed: string): string {
  return text.replaceAll(/\\(.|$)/gs, (_, escaped: string) => {
    if (escaped === '' || !allowed.includes(escaped)) throw new Error(`an unknown escape \\${escaped}`);
    return escaped === 'n' ? '\n' : escaped;
  });
}

function readValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  if (!NUMBER.test(text)) throw new Error(`no number: ${JSON.stringify(text)}`);
  return Number(text);
}

function checkName({ name }: Sample, family: Draft, format: Format): void {
  const suffixes =
    family.type === 'histogram'
      ? ['_bucket', '_count', '_sum', ...(format === 'openmetrics' ? ['_created'] : [])]
      : family.type === 'counter' && format === 'openmetrics'
        ? ['_total', '_created']
        : [''];
  if (!suffixes.some((suffix) => name === family.name + suffix)) throw new Error(`no sample of a ${family.type}`);
}

/** That of a bucket has to be in it, and what has an exemplar is not 0. */
function checkExemplar({ name, value }: Sample, exemplar: Exemplar, { type }: Draft, format: Format): void {
  if (format !== 'openmetrics') throw new Error('an exemplar in text 0.0.4');
  if (!(type === 'counter' ? name.endsWith('_total') : type === 'histogram' && name.endsWith('_bucket')))
    throw new Error('an exemplar of what has none');
  const text = [...exemplar.labels].flat().join('');
  if ([...text].length > 128) throw new Error('an exemplar whose labels are too long');
  if (!Number.isFinite(exemplar.time)) throw new Error('an exemplar of no time');
  if (!(value > 0)) throw new Error('an exemplar of nothing');
}

function checkFamily(draft: Draft, format: Format): MetricFamily {
  const { name, type, help, unit, samples } = draft;
  if (type === null || help === null) throw new Error('no TYPE or no HELP');
  if (type === 'counter') checkCounter(draft, format);
  if (type === 'histogram') checkHistogram(draft, format);
  return { name, type, help, unit, samples };
}

function checkCounter({ name, samples }: Draft, format: Format): void {
  if (format === 'text' && !name.endsWith('_total')) throw new Error('a counter without _total');
  if (format === 'openmetrics' && name.endsWith('_total')) throw new Error('a counter with _total in its own name');
  for (const { value, key } of samples) if (!(value >= 0)) throw new Error(`${key} is ${value}`);
  // `_created` may be left out, of all series of the metric.
  if (!samples.some((sample) => sample.name === `${name}_created`)) return;
  samples.forEach((sample, index) => {
    const isTotal = sample.name.endsWith('_total');
    const partner = samples[isTotal ? index + 1 : index - 1];
    const wanted = seriesKey(`${name}${isTotal ? '_created' : '_total'}`, sample.labels);
    if (partner?.key !== wanted) throw new Error(`${sample.key} does not stand beside ${wanted}`);
  });
}

/** One histogram: its buckets in order, and `_sum`, `_count`, `_created`. */
interface Buckets {
  readonly bounds: number[];
  readonly counts: number[];
  readonly rest: Map<string, number>;
}

function checkHistogram({ name, samples }: Draft, format: Format): void {
  const rows = new Map<string, Buckets>();
  let last = '';
  for (const sample of samples) {
    const labels = [...sample.labels].filter(([label]) => label !== 'le');
    const id = seriesKey('', labels);
    const row: Buckets = rows.get(id) ?? { bounds: [], counts: [], rest: new Map() };
    if (id !== last && rows.has(id)) throw new Error('buckets of one series do not stand together');
    rows.set(id, row);
    last = id;
    if (sample.name !== `${name}_bucket`) {
      row.rest.set(sample.name.slice(name.length), sample.value);
      continue;
    }
    const le = sample.labels.get('le') ?? '';
    if (format === 'openmetrics' && /^[0-9]+$/.test(le)) throw new Error(`le="${le}" is no float`);
    const { exemplar, value } = sample;
    const below = row.bounds.at(-1) ?? Number.NEGATIVE_INFINITY;
    row.bounds.push(readValue(le));
    if (exemplar && !(exemplar.value > below && exemplar.value <= readValue(le)))
      throw new Error(`an exemplar of ${exemplar.value} in the bucket ${le}`);
    if (exemplar && value === (row.counts.at(-1) ?? 0))
      throw new Error(`an exemplar in the bucket ${le}, which is empty`);
    row.counts.push(value);
  }
  for (const { bounds, counts, rest } of rows.values()) {
    const ascending = (list: readonly number[]) =>
      list.every((value, index) => index === 0 || value >= list[index - 1]!);
    if (!ascending(bounds) || !ascending(counts)) throw new Error('buckets do not ascend');
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error('no bucket +Inf');
    if (rest.get('_count') !== counts.at(-1)) throw new Error('_count is not the last bucket');
    if (!rest.has('_sum')) throw new Error('no _sum');
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
