import type { HttpAnswer } from '../../../lib/http.ts';
import { isObject, objectAt } from '../../../lib/json-value.ts';
import { parseTraces } from '../exact.ts';
import { type CtsSettings, SYSTEM_TRACKER } from '../settings.ts';
import type { Place, TraceQuery } from './client.ts';
import { type Asking, pathText } from './transport.ts';

/** Most traces of a page; always asked for. */
export const PAGE_LIMIT = 200;

/** A service that does not heed the limit may send more; but a body may also be made of the shortest of items. */
const MOST_ITEMS = 100_000;

/** The forms of the API, as they are tried. */
export const APIS = ['v3', 'v2', 'v1'] as const;

export type Api = (typeof APIS)[number];

/** The request for a page. Both ends of the window are exclusive, in all versions. */
export function listRequest(query: TraceQuery, place: Place, api: Api, tracker: CtsSettings['tracker']): Asking {
  const { from, to, next } = query;
  const range = [
    ['limit', String(PAGE_LIMIT)],
    ['from', String(from)],
    ['to', String(to)],
    ...(next === null ? [] : [['next', next] as const]),
  ] as const;
  const asking = { operation: 'list_traces', method: 'GET' } as const;
  if (api === 'v3') {
    const named = tracker === SYSTEM_TRACKER ? [] : [['tracker_name', tracker] as const];
    const url = `${place.base}${pathText('v3', place.projectId, 'traces')}`;
    return { ...asking, url, query: [['trace_type', 'system'], ...range, ...named] };
  }
  const version = api === 'v2' ? 'v2.0' : 'v1.0';
  return { ...asking, url: `${place.base}${pathText(version, place.projectId, tracker, 'trace')}`, query: range };
}

/** What a body with status 200 holds. */
export type Decoded =
  | { readonly items: readonly unknown[]; readonly marker: string | null }
  /** No answer to this question: a page for people, or an error. It says nothing about the traces. */
  | { readonly foreign: string }
  /** An answer to it that cannot be read; perhaps it never can. */
  | { readonly undecodable: string };

/** Reads the body of a page. A byte order mark and bytes that are no UTF-8 do no harm; the last of equal keys counts. */
export function decodePage({ text, truncated }: Pick<HttpAnswer, 'text' | 'truncated'>): Decoded {
  if (truncated) return { undecodable: 'the body is longer than 64 MiB' };
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const begin = plain.slice(0, 1_000).trimStart();
  if (begin === '') return { foreign: 'the body is empty' };
  if (begin.startsWith('<')) return { foreign: 'the body is a web page' };
  const body = parseTraces(plain);
  if (body === undefined) return { undecodable: 'the body is no JSON' };
  if (!isObject(body)) return { undecodable: 'the body is no JSON object' };
  const { traces } = body;
  if (traces === undefined || traces === null) {
    if (typeof body.error_code === 'string' || objectAt(body, 'error')) return { foreign: 'the body is an error' };
    if (traces === undefined && !Object.hasOwn(body, 'meta_data')) return { undecodable: 'the body has no traces' };
  } else if (!Array.isArray(traces)) {
    return { undecodable: 'traces is no list' };
  } else if (traces.length > MOST_ITEMS) {
    return { undecodable: `traces has ${traces.length} items, wanted at most ${MOST_ITEMS}` };
  }
  return { items: Array.isArray(traces) ? traces : [], marker: markerOf(objectAt(body, 'meta_data')?.marker) };
}

function markerOf(marker: unknown): string | null {
  if (typeof marker === 'number') return Number.isFinite(marker) ? plainNumber(marker) : null;
  return typeof marker === 'string' && marker.trim() !== '' ? marker : null;
}

function plainNumber(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
