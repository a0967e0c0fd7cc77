import { isObject, type JsonObject, parseJson, textAt } from '../../../lib/json-value.ts';

/** An address at which a service can be asked. */
export interface Endpoint {
  readonly type: string;
  readonly interface: string;
  /** `*`: any. */
  readonly region: string;
  readonly url: string;
}

/** The services of the cloud. */
export type Catalog = readonly Endpoint[];

/** Reads `catalog` of an object; what is not as it should be is left out. */
export function catalogIn(object: JsonObject): Catalog {
  const { catalog } = object;
  if (!Array.isArray(catalog)) return [];
  return catalog.filter(isObject).flatMap((service) => {
    const { endpoints } = service;
    if (!Array.isArray(endpoints)) return [];
    return endpoints.filter(isObject).map((endpoint) => ({
      type: textAt(service, 'type'),
      interface: textAt(endpoint, 'interface'),
      region: textAt(endpoint, 'region') || textAt(endpoint, 'region_id'),
      url: textAt(endpoint, 'url'),
    }));
  });
}

/** The catalog of an answer, or null if it holds none. */
export function catalogOf(text: string): Catalog | null {
  const body = parseJson(text);
  return isObject(body) && Array.isArray(body.catalog) ? catalogIn(body) : null;
}

export interface EndpointQuestion {
  readonly interface: string;
  /** Null: whichever is the only one. */
  readonly region: string | null;
}

/** Where the Cloud Trace Service is asked. Throws with what was looked for, what is there, and what can be done. */
export function traceEndpoint(catalog: Catalog, { interface: wanted, region }: EndpointQuestion): Endpoint {
  const all = catalog.filter(({ type, url }) => type === 'cts' && isUsable(url));
  const open = all.filter((endpoint) => endpoint.interface === wanted);
  const found =
    region === null
      ? open.length === 1
        ? open[0]
        : undefined
      : (open.find((endpoint) => endpoint.region === region) ?? open.find((endpoint) => endpoint.region === '*'));
  if (found) return found;
  const regions = [...new Set(open.map((endpoint) => endpoint.region.slice(0, 80)))].slice(0, 20);
  const there = regions.length === 0 ? 'none at all' : `only those of ${regions.join(', ')}`;
  const what = `type cts, interface ${wanted}, region ${region ?? 'any'}`;
  throw new Error(`catalog: found no endpoint of ${what}, ${there}; check the region, or set sources.cts.endpoint`);
}

/** The address before `/v3/…`: version and project are cut off at the end of the path, and nowhere else. */
export function baseOf(address: string): string {
  const url = new URL(address);
  const path = url.pathname.replace(/\/{1,5}$/, '').replace(/\/v(?:1\.0|2\.0|1|2|3)(?:\/[^/]{1,200})?$/, '');
  return `${url.protocol}//${url.host}${path.replace(/\/{1,5}$/, '')}`;
}

function isUsable(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
