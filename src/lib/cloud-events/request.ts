import { batched, single } from './batch.ts';
import { decodeHeader } from './headers.ts';
import { ATTRIBUTE_NAME, bytesAsData, checked, malformed, type Received } from './received.ts';
import { BATCHED, STRUCTURED } from './types.ts';

/** Headers as `node:http` gives them: a character for each byte. Names may be in any case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How events come in a request (HTTP binding of CloudEvents 1.0, section 3). */
export type Form = 'structured' | 'batched' | 'binary';

/** Tells by its headers in which form a request is, or null for one that holds no CloudEvent. */
export function formOf(headers: RequestHeaders): Form | null {
  const known = lowerCased(headers);
  const type = known.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === STRUCTURED) return 'structured';
  if (type === BATCHED) return 'batched';
  return known.has('ce-specversion') || known.has('ce-id') ? 'binary' : null;
}

/** All that a request of a form holds; a request that is refused as a whole gives one refusal. */
export function readRequest(form: Form, headers: RequestHeaders, body: Buffer): readonly Received[] {
  if (form === 'structured') return [single(body)];
  return form === 'batched' ? batched(body) : [binary(headers, body)];
}

function binary(headers: RequestHeaders, body: Buffer): Received {
  const known = lowerCased(headers);
  const type = known.get('content-type')?.trim() || undefined;
  const attributes = new Map<string, string>();
  for (const [name, value] of known) {
    const attribute = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
    if (!ATTRIBUTE_NAME.test(attribute) || attribute === 'datacontenttype') continue;
    const decoded = decodeHeader(value);
    if (decoded === null) return malformed(`found a header ${name} that is not UTF-8`);
    // An empty subject says as much as none.
    if (decoded !== '' || attribute !== 'subject') attributes.set(attribute, decoded);
  }
  if (type !== undefined) attributes.set('datacontenttype', type);
  const data = bytesAsData(body, type);
  return 'rejected' in data ? data : checked({ attributes, ...data });
}

const PREFIX = 'ce-';

function lowerCased(headers: RequestHeaders): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) known.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(', '));
  }
  return known;
}
