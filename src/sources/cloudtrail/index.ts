import { checkStore, heardStore } from '../../core/objects/check.ts';
import { openStore } from '../../core/objects/config.ts';
import { defineSource, type Finding } from '../../core/source.ts';
import { unzippedInput } from '../../lib/objects/body.ts';
import { everPlan } from '../../lib/objects/loose.ts';
import { checkComplete } from './complete.ts';
import { type CloudTrailConfig, cloudTrailConfig } from './config.ts';
import { CLOUDTRAIL_METRICS } from './metrics.ts';
import { openCloudTrail, planOf, scopeOf } from './open.ts';
import { headOf } from './plan.ts';
import { splitInput, type TrailItem } from './read.ts';
import type { CloudTrailRecord } from './record.ts';

/** CloudTrail: calls to the API of AWS. */
export const cloudTrail = defineSource<CloudTrailConfig, typeof CLOUDTRAIL_METRICS, TrailItem, CloudTrailRecord>({
  type: 'cloudtrail',
  summary: 'CloudTrail: calls to the API of AWS, as a trail delivers them into a bucket, or from files.',
  replay: 'Log files that came meanwhile are read then; each event counts once, however often it was delivered.',
  config: cloudTrailConfig,
  blank: { directory: '.' },
  metrics: CLOUDTRAIL_METRICS,
  reasons: ['too_long', 'malformed', 'shape', 'excluded'],
  open: openCloudTrail,
  split: (input) => splitInput(unzippedInput(input), Date.now()),
  check,
});

async function* check(
  config: CloudTrailConfig,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
  heard: () => void,
): AsyncGenerator<Finding> {
  const scope = scopeOf(config);
  const plan = planOf(config, { ...scope, digests: false }, Date.now);
  // Files that were copied here may be of any time.
  const looked = config.directory === null ? plan : everPlan(plan);
  yield* checkStore({ store: heardStore(openStore(config, env), heard), plan: looked, signal });
  if (!config.digests) return;
  yield* checkComplete({
    store: heardStore(openStore(config, env), heard),
    plan: planOf(config, scope, Date.now),
    head: headOf(scope.prefix),
    now: Date.now(),
    signal,
  });
}
