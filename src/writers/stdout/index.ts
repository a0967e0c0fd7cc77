import type { z } from 'zod';
import { choice, option } from '../../core/fields.ts';
import { defineWriter } from '../../core/writer.ts';
import { writerSection } from '../../core/writer-config.ts';
import { openStdout } from './write.ts';

const config = writerSection('Standard output: one line for each event.', {
  format: option(choice('json', 'text'), 'json', '`json`: the event whole; `text`: its main parts, for people.'),
});

/** A validated `writers.stdout`. */
export type StdoutConfig = z.output<typeof config>;

/** Standard output, for pipes and containers. */
export const stdout = defineWriter<StdoutConfig>({
  type: 'stdout',
  summary: 'Standard output: one line of JSON or text for each event.',
  repeats: 'A line may be printed again; `id` tells that it is the same event.',
  config,
  open: ({ format }, { stdout: stream = process.stdout }) => openStdout(stream, format),
  check: async function* (_, { stdout: stream = process.stdout }) {
    yield stream.writable
      ? { ok: true, detail: 'standard output can be written to' }
      : { ok: false, detail: 'standard output is closed; start trailgauge with one that is open' };
  },
});
