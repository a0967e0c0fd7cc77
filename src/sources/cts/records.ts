import { defineRecords } from '../../core/records.ts';
import { isRejected } from '../../core/source.ts';
import { toEvent } from './event.ts';
import { type Place, traceLabels } from './labels.ts';
import { CTS_METRICS } from './metrics.ts';
import { decodeTrace, type Trace, traceOf } from './trace.ts';

/** A trace that was sent, and what was told of it beside. */
interface SentTrace {
  readonly trace: Trace;
  readonly place: Place;
  /** When it was received, in milliseconds since 1970. */
  readonly arrival: number;
}

const NO_LABELS: ReadonlySet<never> = new Set();

/**
 * Traces in CloudEvents, as the writer `cloudevents` and the Go exporter send them: attributes `source`, `region`,
 * `domain` and `tenant` tell where they come from.
 */
export const ctsRecords = defineRecords<Pick<typeof CTS_METRICS, 'traces'>, SentTrace>({
  type: 'cts',
  metrics: { traces: CTS_METRICS.traces },
  claims: traceOf,
  open: ({ metrics, name }) => ({
    parse: (record, { attributes, arrival }) => {
      const trace = decodeTrace(record);
      return isRejected(trace) ? trace : { trace, place: placeOf(attributes), arrival };
    },
    observe: ({ trace, place }) => {
      const { labels, limited: isLimited } = traceLabels(trace, place, NO_LABELS);
      metrics.traces.series(labels, { isLimited }).inc();
    },
    timeOf: ({ trace, arrival }) => trace.time ?? trace.recorded ?? arrival,
    event: ({ trace, place, arrival }) => {
      const { labels } = traceLabels(trace, place, NO_LABELS);
      return toEvent({ trace, source: name, place, labels, receivedAt: arrival });
    },
  }),
});

function placeOf(attributes: ReadonlyMap<string, string>): Place {
  const told = (name: string) => attributes.get(name) || null;
  return {
    region: told('region'),
    projectId: told('tenant'),
    projectName: null,
    account: told('domain'),
    origin: told('source'),
  };
}
