import type { OpenMetricsContentType } from 'prom-client';
import type { ExpositionFormat } from './negotiate.ts';

/** Metrics of the process and of Node.js, as prom-client has them, in text without an end mark; none in protobuf. */
export async function createRuntimeMetrics(): Promise<(format: ExpositionFormat) => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  // A registry that was once asked for OpenMetrics has lost the `_total` of its names, so each format has its own.
  const text = new Registry();
  const openmetrics = new Registry<OpenMetricsContentType>();
  openmetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: text });
  collectDefaultMetrics({ register: openmetrics });
  return async (format) => {
    if (format === 'protobuf') return '';
    const shown = await (format === 'text' ? text : openmetrics).metrics();
    // prom-client puts blank lines between metrics, which OpenMetrics does not allow, and ends with the end mark.
    const lines = shown.split('\n').filter((line) => line !== '' && line !== '# EOF');
    return lines.map((line) => `${format === 'openmetrics' ? corrected(line) : line}\n`).join('');
  };
}

/** prom-client writes whole bounds of buckets without a point, and no number as `Nan`; OpenMetrics wants `1.0` and `NaN`. */
function corrected(line: string): string {
  return line.replace(/([{,]le="[0-9]+)(?=")/, '$1.0').replace(/ Nan$/, ' NaN');
}
