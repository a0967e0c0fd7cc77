import type { Format } from './exposition.ts';

/** The format that an `Accept` header asks for; text where it asks for neither, or for both alike. */
export function negotiateFormat(accept: string | undefined): Format {
  let text = 0;
  let openmetrics = 0;
  for (const { name, quality } of weighted(accept)) {
    if (name === 'application/openmetrics-text') openmetrics = Math.max(openmetrics, quality);
    else if (name === 'text/plain' || name === 'text/*' || name === '*/*') text = Math.max(text, quality);
  }
  return openmetrics > text ? 'openmetrics' : 'text';
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

function weighted(header: string | undefined): { name: string; quality: number }[] {
  return (header ?? '')
    .slice(0, 4096)
    .split(',')
    .map((item) => {
      const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith('q='));
      const quality = q === undefined ? 1 : Number(q.slice(2));
      return { name, quality: Number.isFinite(quality) ? quality : 0 };
    });
}
