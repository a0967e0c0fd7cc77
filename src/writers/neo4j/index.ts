import { defineWriter } from '../../core/writer.ts';
import { checkNeo4j } from './check.ts';
import { type Neo4jConfig, neo4jConfig } from './config.ts';
import { openGraphWriter } from './graph-writer.ts';

/** Neo4j. */
export const neo4j = defineWriter<Neo4jConfig>({
  type: 'neo4j',
  summary: 'Neo4j 5: who did what to which resource, from where, as a graph.',
  repeats: 'Nothing changes: an event is there once by its key, and raises sums only when it is new.',
  config: neo4jConfig,
  open: openGraphWriter,
  check: checkNeo4j,
});
