import { z } from 'zod';
import { described, duration, integer, option, section, size, text } from './fields.ts';

/** The section of a writer: its own fields, and those that all writers have. */
export function writerSection<S extends Readonly<Record<string, z.ZodType>>>(doc: string, fields: S) {
  return section(doc, { ...fields, ...COMMON });
}

/** A list of texts. */
export function texts(): z.ZodType<readonly string[]> {
  return described(z.array(text(), { error: 'wanted a list of texts' }), { kind: 'list of strings' });
}

const COMMON = {
  sources: option(texts(), [], 'Sources whose events are written, by the names of their sections; empty for all.'),
  queue: option(
    size(),
    '1GiB',
    'Size on disk of what may wait while the far end is away; then the oldest go and are counted.',
  ),
  batch: option(integer(1, 100_000), 1_000, 'Most events of one request.'),
  timeout: option(duration(), '30s', 'Longest time for one request.'),
  drain: option(duration(), '5s', 'Longest time that is taken for what still waits when the program is told to stop.'),
};
