import * as z from 'zod';
import { addressesConfig } from './addresses-config.ts';
import { choice, described, duration, fieldMeta, flag, integer, option, section, text } from './fields.ts';

/** Severities of the log, from the loudest. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The sections that are not of a source or a writer, in the order of the documentation. */
export const CORE_SECTIONS = {
  log: section('What is written to standard error.', {
    level: option(level(), 'info', `Lowest severity that is logged: ${LOG_LEVELS.join(', ')}.`),
  }),
  listen: section('Where metrics are served.', {
    address: option(text(), '127.0.0.1', 'Address to listen on; `0.0.0.0` or `::` for all.'),
    port: option(integer(0, 65_535), 8080, 'Port to listen on; 0 takes any that is free.'),
    web_config: option(
      nullable(text()),
      null,
      'File with TLS and basic authentication, in the format of the Prometheus exporter toolkit.',
    ),
  }),
  state: section('What is kept across restarts.', {
    directory: option(
      nullable(text()),
      null,
      'Directory of totals and positions. Null: `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/trailgauge`, else `~/.local/state/trailgauge`.',
    ),
  }),
  metrics: section('What is shown, and how much of it.', {
    runtime: option(flag(), false, 'Also show metrics of the process and of Node.js.'),
    series_limit: option(
      integer(1, 10_000_000),
      10_000,
      'Most series of one metric; what comes after is counted in a series with the label values `other`. Metrics of the program itself may have 10,000 in any case.',
    ),
    series_limits: option(limits(), {}, 'Other limits for metrics by name, such as `reaction_match_count: 50000`.'),
    series_total: option(integer(1, 100_000_000), 1_000_000, 'Most series of all metrics together.'),
    native_histograms: option(
      flag(),
      false,
      'Show histograms in their native form to those who scrape protobuf, as Prometheus does with `native-histograms`.',
    ),
    exemplars: option(
      flag(),
      true,
      'Show to those who scrape OpenMetrics or protobuf the request or event that came last, as an exemplar of the metrics that have them.',
    ),
    idle_ttl: option(
      duration(),
      '0s',
      'Leave out counters that did not change for so long, once their last value was seen; when they do, it is shown once more before the new one. `0s`: never.',
    ),
  }),
  addresses: addressesConfig,
} as const;

/** The sections that are not of a source or a writer, validated and completed. */
export type CoreConfig = { readonly [K in keyof typeof CORE_SECTIONS]: z.output<(typeof CORE_SECTIONS)[K]> };

function nullable<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return described(schema.nullable(), { kind: 'string', ...fieldMeta(schema) });
}

function level(): z.ZodType<(typeof LOG_LEVELS)[number]> {
  // The Python exporter for reaction writes its levels in capitals.
  const words = choice(...LOG_LEVELS);
  return described(
    z.preprocess(
      (value) => (typeof value === 'string' ? value.toLowerCase() : value),
      words,
    ) as unknown as typeof words,
    { ...fieldMeta(words) },
  );
}

function limits(): z.ZodType<Readonly<Record<string, number>>> {
  return described(z.record(z.string(), integer(1, 10_000_000), { error: 'wanted a map from metrics to numbers' }), {
    kind: 'map',
  });
}
