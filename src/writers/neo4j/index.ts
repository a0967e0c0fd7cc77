import { defineWriter } from '../../core/writer.ts';
import { type Pace, USUAL_PACE } from '../../lib/retry.ts';
import { thrownFault } from '../fields.ts';
import { checkNeo4j } from './check.ts';
import { type Neo4jConfig, neo4jConfig, targetOf } from './config.ts';
import { openGraphWriter } from './graph-writer.ts';

/** A wrong password is not tried too often: the server would lock the user out. */
const PACE: Pace = { ...USUAL_PACE, holdMs: 60_000, maxHoldMs: 60_000 };

/** Neo4j. */
export const neo4j = defineWriter<Neo4jConfig>({
  type: 'neo4j',
  summary: 'Neo4j 5: who did what to which resource, from where, as a graph.',
  repeats: 'Nothing changes: an event is there once by its key, and raises sums only when it is new.',
  pace: PACE,
  config: neo4jConfig,
  against: (config, _core, env) => thrownFault(() => targetOf(config, env)),
  open: openGraphWriter,
  check: checkNeo4j,
});
