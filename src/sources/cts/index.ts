import { defineSource } from '../../core/source.ts';
import { checkCts } from './check.ts';
import { type CtsConfig, ctsConfig } from './config.ts';
import { type CtsItem, ctsItem } from './item.ts';
import { CTS_METRICS } from './metrics.ts';
import { openCts } from './open.ts';
import { environmentFault } from './settings.ts';
import { splitInput } from './split.ts';
import type { Trace } from './trace.ts';

/** Open Telekom Cloud: the Cloud Trace Service. */
export const cts = defineSource<CtsConfig, typeof CTS_METRICS, CtsItem, Trace>({
  type: 'cts',
  summary: 'Open Telekom Cloud: traces of the Cloud Trace Service, of one project in one region.',
  replay: 'What was missed is read then, as far back as the service keeps it (7 days); each trace counts once.',
  config: ctsConfig,
  against: (config, _core, env) => environmentFault(config, env),
  metrics: CTS_METRICS,
  reasons: ['shape'],
  tellsUp: true,
  open: openCts,
  split: function* (input) {
    const at = Date.now();
    for (const { item, isMalformed } of splitInput(input)) {
      yield isMalformed ? malformed(String(item), at) : ctsItem(item, { at, visible: false });
    }
  },
  check: (config, signal, env, heard) => checkCts(config, signal, env, { heard }),
});

/** A line that is no JSON. */
function malformed(line: string, at: number): CtsItem {
  return { ...ctsItem(line, { at, visible: false }), found: { rejected: 'malformed' } };
}
