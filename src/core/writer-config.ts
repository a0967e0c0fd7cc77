import * as z from 'zod';
import { described, duration, integer, option, period, section, size, text } from './fields.ts';

/** The section of a writer: its own fields, and those that all writers have. */
export function writerSection<S extends Readonly<Record<string, z.ZodType>>>(
  doc: string,
  fields: S,
  { timeout = '30s' }: { readonly timeout?: string } = {},
) {
  return section(doc, { ...fields, ...common(timeout) });
}

/** A list of texts. */
export function texts(): z.ZodType<readonly string[]> {
  return described(z.array(text(), { error: 'wanted a list of texts' }), { kind: 'list of strings' });
}

function common(timeout: string) {
  return {
    sources: option(texts(), [], 'Sources whose events are written, by the names of their sections; empty for all.'),
    queue: option(
      size(),
      '1GiB',
      'Size on disk of what may wait while the far end is away; then the oldest go and are counted.',
    ),
    batch: option(integer(1, 100_000), 1_000, 'Most events of one request.'),
    timeout: option(period(), timeout, 'Longest time for one request.'),
    drain: option(
      duration(),
      '5s',
      'Longest time that is taken for what still waits when the program is told to stop.',
    ),
  };
}
