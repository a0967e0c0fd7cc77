import { encodeHeader } from '../../lib/cloud-events/headers.ts';
import { type CloudEvent, isJsonType, STRUCTURED } from '../../lib/cloud-events/types.ts';

/** How an event is sent. */
export type Mode = 'binary' | 'structured';

/** Headers and body of a request. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** An event in one of the two modes of the HTTP binding, version 1.0. */
export function messageOf(event: CloudEvent, mode: Mode): Message {
  return mode === 'binary' ? binary(event) : structured(event);
}

function binary({ attributes, data }: CloudEvent): Message {
  const headers = new Map<string, string>();
  for (const [name, value] of attributes) {
    if (name === 'datacontenttype') headers.set('content-type', contentType(String(value)));
    else headers.set(`ce-${name}`, encodeHeader(String(value)));
  }
  return { headers: Object.fromEntries(headers), body: data ?? '' };
}

function structured({ attributes, data }: CloudEvent): Message {
  const text = JSON.stringify(Object.fromEntries(attributes));
  const headers = { 'content-type': `${STRUCTURED}; charset=utf-8` };
  if (data === null) return { headers, body: text };
  const begin = text.slice(0, -1);
  if (typeof data !== 'string')
    return { headers, body: `${begin},"data_base64":"${Buffer.from(data).toString('base64')}"}` };
  const isJson = isJsonType(String(attributes.get('datacontenttype') ?? 'application/json'));
  // Data that are JSON are put in as they stand, without being read and written again.
  return { headers, body: `${begin},"data":${isJson ? data : JSON.stringify(data)}}` };
}

/** One that came with an event may hold what a header cannot. */
function contentType(value: string): string {
  return /^[\x20-\x7e]{1,1000}$/.test(value) ? value : 'application/octet-stream';
}
