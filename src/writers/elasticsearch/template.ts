import { isObject, type JsonObject, objectAt, parseJson } from '../../lib/json-value.ts';
import type { Document } from './bulk.ts';

/** What a server says it is; `other` for those that only speak the same language. */
export interface Server {
  readonly kind: 'elasticsearch' | 'opensearch' | 'other';
  readonly major: number;
  readonly minor: number;
  /** Elasticsearch as it was given away without its licensed parts. */
  readonly oss: boolean;
}

/** What a server is, by the body of its answer to `GET /`; anything else than such an answer is `other`. */
export function serverOf(text: string): Server {
  const body = parseJson(text);
  const version: JsonObject | null = objectAt(isObject(body) ? body : null, 'version');
  const [, major, minor] = /^([0-9]{1,4})\.([0-9]{1,4})\./.exec(String(version?.number)) ?? [];
  if (!version || major === undefined) return { kind: 'other', major: 0, minor: 0, oss: false };
  const kind = version.distribution === 'opensearch' ? 'opensearch' : 'elasticsearch';
  return { kind, major: Number(major), minor: Number(minor), oss: version.build_flavor === 'oss' };
}

/**
 * The body of `PUT /_index_template/<index>`, for `documents: event`. The record is one field, so that records of a
 * thousand shapes neither fill the mapping nor contradict it.
 */
export function templateBody(index: string, server: Server): Document {
  const keyword = { type: 'keyword', ignore_above: 8191 };
  const party = { properties: { id: keyword } };
  const unsearched = { type: 'keyword', index: false, doc_values: false };
  const properties = {
    '@timestamp': { type: server.kind === 'other' ? 'date' : 'date_nanos' },
    event: { properties: { ...namesTo(keyword, ['id', 'dataset', 'action', 'outcome']), original: unsearched } },
    trailgauge: { properties: namesTo(keyword, ['source', 'outcome']) },
    user: { properties: { name: keyword } },
    target: { properties: namesTo(keyword, ['type', 'id', 'name']) },
    source: { properties: { ip: { type: 'ip', ignore_malformed: true } } },
    cloud: { properties: { account: party, project: party, region: keyword } },
    aws: { properties: { cloudwatch: { properties: namesTo(keyword, ['log_group', 'log_stream', 'owner']) } } },
    message: { type: 'text' },
    raw: recordMapping(server),
  };
  // Names of labels are those of the sources, so they are told by a rule.
  const labels = { labels: { path_match: 'labels.*', mapping: keyword } };
  return {
    index_patterns: [`${index}*`],
    priority: 200,
    template: { mappings: { dynamic_templates: [labels], properties } },
  };
}

function namesTo(mapping: Document, names: readonly string[]): Document {
  return Object.fromEntries(names.map((name) => [name, mapping]));
}

/** A leaf of `flattened` above 32,766 bytes is refused; 8191 characters of 4 bytes are below that. */
function recordMapping({ kind, major, minor, oss }: Server): Document {
  if (kind === 'elasticsearch' && !oss && since(major, minor, 7, 3)) return { type: 'flattened', ignore_above: 8191 };
  if (kind === 'opensearch' && since(major, minor, 2, 7)) return { type: 'flat_object' };
  return { type: 'object', enabled: false };
}

function since(major: number, minor: number, wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
