/** `text` is the text format of Prometheus, `openmetrics` OpenMetrics 1.0, `protobuf` length-delimited `MetricFamily`. */
export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

/** How names that the old charset does not have are shown; `names.ts` does it. */
export type Escaping = 'underscores' | 'dots' | 'values' | 'allow-utf-8';

/** What a scraper is answered with. */
export interface Negotiated {
  readonly format: ExpositionFormat;
  /** Of the text formats; empty for protobuf, which has none. */
  readonly version: '0.0.1' | '0.0.4' | '1.0.0' | '';
  readonly escaping: Escaping;
}

const ALL: readonly ExpositionFormat[] = ['text', 'openmetrics', 'protobuf'];
const ESCAPINGS: ReadonlySet<string> = new Set<Escaping>(['underscores', 'dots', 'values', 'allow-utf-8']);
/** What client libraries fall back to, and what is given to those who ask for nothing. */
export const DEFAULT_VIEW: Negotiated = { format: 'text', version: '0.0.4', escaping: 'underscores' };
const PROTOBUF_MESSAGE = 'io.prometheus.client.MetricFamily';
/** Longest header that is read, in UTF-16 units; Prometheus sends some 300. */
const HEADER_LIMIT = 8192;

/**
 * What an `Accept` header asks for, out of what is `offered`; text 0.0.4 where it asks for nothing of that.
 *
 * The highest q-value wins; of equals text, then whichever comes first. Escaping is taken from the clause that won.
 * As Prometheus 3 asks (https://prometheus.io/docs/instrumenting/content_negotiation) and as its own client library
 * answers (prometheus/common, `expfmt.NegotiateAccept`). Text 1.0.0 differs from 0.0.4 only in having UTF-8 names, so
 * that it is given for `escaping=allow-utf-8` alone.
 */
export function negotiate(accept: string | undefined, offered: readonly ExpositionFormat[] = ALL): Negotiated {
  let best = DEFAULT_VIEW;
  let bestQuality = 0;
  let bestRank = 0;
  for (const { name, quality, parameters } of weighted(accept)) {
    const found = match(name, parameters);
    if (!found || (found.format !== 'text' && !offered.includes(found.format))) continue;
    const rank = rankOf(name, found);
    if (quality < bestQuality || quality === 0 || (quality === bestQuality && rank <= bestRank)) continue;
    best = found;
    bestQuality = quality;
    bestRank = rank;
  }
  return best;
}

/** The `Content-Type` of an answer, as prometheus/common writes it; the escaping that all assume is not told. */
export function contentType({ format, version, escaping }: Negotiated): string {
  const types: Readonly<Record<ExpositionFormat, string>> = {
    text: `text/plain; version=${version}; charset=utf-8`,
    openmetrics: `application/openmetrics-text; version=${version}; charset=utf-8`,
    protobuf: `application/vnd.google.protobuf; proto=${PROTOBUF_MESSAGE}; encoding=delimited`,
  };
  return escaping === DEFAULT_VIEW.escaping ? types[format] : `${types[format]}; escaping=${escaping}`;
}

/** Whether an `Accept-Encoding` header takes gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  let any = 0;
  for (const { name, quality } of weighted(acceptEncoding)) {
    if (name === 'gzip' || name === 'x-gzip') return quality > 0;
    if (name === '*') any = quality;
  }
  return any > 0;
}

type Parameters = ReadonlyMap<string, string>;

/** One item of a header: its name in lower case, and its parameters but q. */
interface Weighted {
  readonly name: string;
  readonly quality: number;
  readonly parameters: Parameters;
}

/** What a clause asks for, or null if nobody here can give it. */
function match(name: string, parameters: Parameters): Negotiated | null {
  const version = parameters.get('version') ?? '';
  const escaping = escapingOf(parameters);
  switch (name) {
    case '*/*':
    case 'text/*':
      return DEFAULT_VIEW;
    case 'text/plain':
      if (version === '1.0.0')
        return { format: 'text', version: escaping === 'allow-utf-8' ? version : '0.0.4', escaping };
      return version === '' || version === '0.0.4' ? { format: 'text', version: '0.0.4', escaping } : null;
    case 'application/openmetrics-text':
      if (version === '' || version === '1.0.0') return { format: 'openmetrics', version: '1.0.0', escaping };
      return version === '0.0.1' ? { format: 'openmetrics', version, escaping } : null;
    case 'application/vnd.google.protobuf':
      if (parameters.get('proto') !== PROTOBUF_MESSAGE || parameters.get('encoding') !== 'delimited') return null;
      return { format: 'protobuf', version: '', escaping };
    default:
      return null;
  }
}

function escapingOf(parameters: Parameters): Escaping {
  const asked = parameters.get('escaping') ?? '';
  // The set has these strings and no others.
  return ESCAPINGS.has(asked) ? (asked as Escaping) : DEFAULT_VIEW.escaping;
}

/** Text that is named goes before text that is not, and that before all else. */
function rankOf(name: string, { format }: Negotiated): number {
  if (format !== 'text') return 1;
  return name.endsWith('*') ? 2 : 3;
}

function weighted(header: string | undefined): Weighted[] {
  return (header ?? '').slice(0, HEADER_LIMIT).split(',').map(readItem);
}

function readItem(item: string): Weighted {
  const [name = '', ...rest] = item.split(';').map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const equals = parameter.indexOf('=');
    if (equals < 0) continue;
    const key = parameter.slice(0, equals).trim().toLowerCase();
    if (!parameters.has(key)) parameters.set(key, unquote(parameter.slice(equals + 1).trim()));
  }
  const quality = qualityOf(parameters.get('q'));
  parameters.delete('q');
  return { name: name.toLowerCase(), quality, parameters };
}

/** From 0 to 1; what is no number of that kind asks for nothing. */
function qualityOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const quality = /^[0-9.]{1,20}$/.test(text) ? Number(text) : 0;
  return quality >= 0 ? Math.min(quality, 1) : 0;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
