import type { Listed } from '../core/listed.ts';
import type { AnyWriter } from '../core/writer.ts';

/** All writers, in the order of the documentation. */
export const WRITERS: readonly Listed<AnyWriter>[] = [
  { type: 'stdout', load: async () => (await import('./stdout/index.ts')).stdout },
  { type: 'influx', load: async () => (await import('./influx/index.ts')).influx },
  { type: 'elasticsearch', load: async () => (await import('./elasticsearch/index.ts')).elasticsearch },
  { type: 'cloudevents', load: async () => (await import('./cloudevents/index.ts')).cloudevents },
  { type: 'neo4j', load: async () => (await import('./neo4j/index.ts')).neo4j },
];
