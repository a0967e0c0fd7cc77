import type { AnyWriter } from '../core/writer.ts';
import { cloudevents } from './cloudevents/index.ts';
import { elasticsearch } from './elasticsearch/index.ts';
import { influx } from './influx/index.ts';
import { neo4j } from './neo4j/index.ts';
import { stdout } from './stdout/index.ts';

/** All writers, in the order of the documentation. */
export const WRITERS: readonly AnyWriter[] = [stdout, influx, elasticsearch, cloudevents, neo4j];
