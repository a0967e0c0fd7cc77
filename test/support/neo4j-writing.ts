import { pino } from 'pino';
import type { Event } from '../../src/core/event.ts';
import { neo4j } from '../../src/writers/neo4j/index.ts';

/*
 * A process that writes events into Neo4j in small batches, while another one writes the same:
 * `neo4j-writing.js URI COUNT SHIFT`, each batch shifted by so many events.
 */

const [uri, count, shift] = process.argv.slice(2);
const log = pino({ level: 'silent' });
const writer = neo4j.open(neo4j.config.parse({ uri }), { name: 'neo4j', log, env: {}, now: Date.now });
const events = Array.from({ length: Number(count) }, (_, index) => trace(index));
const BATCH = 250;
for (let start = -Number(shift) * 100; start < events.length; start += BATCH) {
  const batch = events.slice(Math.max(0, start), start + BATCH);
  for (let tries = 0; ; tries++) {
    const written = await writer.write(batch, new AbortController().signal);
    if (written.kind === 'done' && written.dead.length === 0) break;
    if (tries === 20) throw new Error(JSON.stringify(written));
  }
}
await writer.close();

function trace(index: number): Event {
  const name = `user ${index % 7}`;
  return {
    id: `trace-${index}`,
    time: 1_767_268_800_000 + index,
    source: 'cts',
    action: 'createVolume',
    outcome: index % 10 === 0 ? 'failed' : 'ok',
    actor: { type: 'user', id: name, name, address: `203.0.113.${index % 9}` },
    target: { type: 'evs', id: `vol-${index % 50}` },
    scope: { type: 'project', id: 'p1' },
    data: { dataset: 'cts', userId: name, userName: name, resourceId: `vol-${index % 50}`, region: 'eu-de' },
  };
}
