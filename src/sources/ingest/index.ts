import type { Catalogue } from '../../core/metrics/define.ts';
import type { AnyRecordKind } from '../../core/records.ts';
import { type AnySource, defineSource } from '../../core/source.ts';
import { recorded } from '../../lib/cloud-events/batch.ts';
import { check } from './check.ts';
import { itemOf } from './cloudevents.ts';
import { faultOf, type IngestConfig, ingestConfig } from './config.ts';
import type { Counted, IngestItem } from './item.ts';
import { catalogueOf, openIngest } from './open.ts';

/** What is pushed to the program; records of these kinds are counted as their own sources count them. */
export function ingestSource(kinds: readonly AnyRecordKind[]): AnySource {
  return defineSource<IngestConfig, Catalogue, IngestItem, Counted>({
    type: 'ingest',
    summary: 'Events that are pushed to the program over HTTP: CloudEvents.',
    replay: 'Senders repeat what was not answered; each event counts once, and is answered when it is saved.',
    config: ingestConfig,
    blank: { cloudevents: {} },
    against: faultOf,
    metrics: catalogueOf(kinds),
    reasons: [...new Set(['malformed', 'shape', ...kinds.flatMap(({ reasons = [] }) => reasons)])],
    open: (config, context) => openIngest(config, context, kinds),
    split: function* (input) {
      const arrival = Date.now();
      for (const received of recorded(input)) yield itemOf(received, arrival, { good: 0, bad: 0 });
    },
    check,
  });
}
