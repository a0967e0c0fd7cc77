import type { Data } from '../../core/event.ts';
import { cutBytes } from './line.ts';

/**
 * A record as JSON text of one level: `{"auditEntry.api.name":"GetObject",…}`, elements of lists by their number. It is
 * cut to so many bytes, whatever that leaves of the JSON. Nesting takes no stack, and nothing is gone through behind the
 * cut.
 */
export function flatText(record: { readonly [key: string]: Data }, limit: number): string {
  let text = '{';
  const open: Iterator<readonly [path: string, value: Data]>[] = [membersOf(record, '')];
  while (open.length > 0 && text.length <= limit) {
    const next = open.at(-1)?.next();
    if (!next || next.done) {
      open.pop();
      continue;
    }
    const [path, value] = next.value;
    // A path longer than what may be written ends here: each further level would only make it longer.
    if (isFilled(value) && path.length <= limit) open.push(membersOf(value, `${path}.`));
    else text += `${text === '{' ? '' : ','}${JSON.stringify(path)}:${scalarText(value)}`;
  }
  return cutBytes(open.length > 0 ? text : `${text}}`, limit);
}

type Container = { readonly [key: string]: Data } | readonly Data[];

function* membersOf(value: Container, prefix: string): Generator<readonly [string, Data]> {
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) yield [`${prefix}${index}`, element as Data];
    return;
  }
  for (const key of Object.keys(value)) {
    // Not a list, so a map.
    yield [`${prefix}${key}`, (value as { readonly [key: string]: Data })[key] ?? null];
  }
}

function isFilled(value: Data): value is Container {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

function scalarText(value: Data): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Array.isArray(value) ? '[]' : '{}';
}
