import type { Event } from '../../core/event.ts';
import type { Model, Run } from './model.ts';
import { byText } from './texts.ts';
import { EVENT_PROPERTIES, trailsEvent } from './trails-event.ts';
import { type Row, trailsRows } from './trails-rows.ts';

/**
 * The model `trails`: events, who and what they are of, and sums between these.
 *
 * An event that is there already was written with all that belongs to it, in one transaction: it is left alone, so that
 * no repeat changes anything. All others are new, and are created without looking for them again; where somebody else
 * creates the same one meanwhile, the constraint on the key refuses this transaction, which is then run again.
 */
export const trails: Model = {
  schema: [
    { name: 'trails_event', statement: unique('trails_event', 'Event') },
    { name: 'trails_actor', statement: unique('trails_actor', 'Actor') },
    { name: 'trails_resource', statement: unique('trails_resource', 'Resource') },
    { name: 'trails_address', statement: unique('trails_address', 'Address') },
    { name: 'trails_account', statement: unique('trails_account', 'Account') },
    { name: 'trails_region', statement: unique('trails_region', 'Region') },
    {
      name: 'trails_event_time',
      statement: 'CREATE INDEX trails_event_time IF NOT EXISTS FOR (n:Event) ON (n.time)',
    },
    {
      name: 'trails_event_action',
      statement: 'CREATE INDEX trails_event_action IF NOT EXISTS FOR (n:Event) ON (n.action, n.time)',
    },
    {
      name: 'trails_actor_name',
      statement: 'CREATE INDEX trails_actor_name IF NOT EXISTS FOR (n:Actor) ON (n.name)',
    },
    {
      name: 'trails_resource_name',
      statement: 'CREATE INDEX trails_resource_name IF NOT EXISTS FOR (n:Resource) ON (n.name)',
    },
  ],
  takes: () => true,
  write: writeTrails,
};

/** Deletes a part of the events before `$before`; answers how many. */
export const RETENTION_STATEMENT = `MATCH (e:Event) WHERE e.time < datetime.fromepochmillis($before)
WITH e LIMIT 5000
DETACH DELETE e
RETURN count(*) AS deleted`;

function unique(name: string, label: string): string {
  return `CREATE CONSTRAINT ${name} IF NOT EXISTS FOR (n:${label}) REQUIRE n.key IS UNIQUE`;
}

const KNOWN = 'UNWIND $rows AS key MATCH (e:Event {key: key}) RETURN e.key AS key';

const AT = EVENT_PROPERTIES.length;

/** Each end is looked up first: an event that is made first would have to be kept aside for them. */
const EVENTS = `UNWIND $rows AS row
OPTIONAL MATCH (a:Actor {key: row[${AT + 2}]})
OPTIONAL MATCH (r:Resource {key: row[${AT + 3}]})
OPTIONAL MATCH (x:Address {key: row[${AT + 4}]})
CREATE (e:Event {${EVENT_PROPERTIES.map((name, index) => `${name}: row[${index}]`).join(', ')},
  time: datetime.fromepochmillis(row[${AT}]),
  recorded: CASE WHEN row[${AT + 1}] IS NULL THEN null ELSE datetime.fromepochmillis(row[${AT + 1}]) END})
FOREACH (_ IN CASE WHEN a IS NULL THEN [] ELSE [1] END | CREATE (a)-[:PERFORMED]->(e))
FOREACH (_ IN CASE WHEN r IS NULL THEN [] ELSE [1] END | CREATE (e)-[:ON]->(r))
FOREACH (_ IN CASE WHEN x IS NULL THEN [] ELSE [1] END | CREATE (e)-[:FROM]->(x))`;

const ACTORS = nodes('Actor');
const RESOURCES = nodes('Resource');
const ADDRESSES = nodes('Address');
const ACCOUNTS = nodes('Account');
const REGIONS = nodes('Region');
const MEMBER_OF = edges('Actor', 'MEMBER_OF', 'Account');
const IN = edges('Resource', 'IN', 'Account');
const LOCATED_IN = edges('Account', 'LOCATED_IN', 'Region');
const TOUCHED = sums('TOUCHED', 'Resource');
const USED = sums('USED', 'Address');

function nodes(label: string): string {
  return `UNWIND $rows AS row
MERGE (n:${label} {key: row[0]})
SET n += row[1]`;
}

function edges(from: string, type: string, to: string): string {
  return `UNWIND $rows AS row
MATCH (a:${from} {key: row[0]})
MATCH (b:${to} {key: row[1]})
MERGE (a)-[:${type}]->(b)`;
}

function sums(type: string, to: string): string {
  return `UNWIND $rows AS row
MATCH (a:Actor {key: row[0]})
MATCH (b:${to} {key: row[1]})
MERGE (a)-[t:${type}]->(b)
WITH t, row, datetime.fromepochmillis(row[4]) AS first, datetime.fromepochmillis(row[5]) AS last
SET t.events = coalesce(t.events, 0) + row[2], t.failures = coalesce(t.failures, 0) + row[3],
  t.first = CASE WHEN t.first <= first THEN t.first ELSE first END,
  t.last = CASE WHEN t.last >= last THEN t.last ELSE last END`;
}

async function writeTrails(events: readonly Event[], run: Run): Promise<boolean> {
  const made = new Map<string, ReturnType<typeof trailsEvent>>();
  for (const event of events.map(trailsEvent)) if (!made.has(event.key)) made.set(event.key, event);
  const known = new Set(await run(KNOWN, [...made.keys()].toSorted(byText)));
  const rows = trailsRows([...made.values()].filter(({ key }) => !known.has(key)));
  if (rows.events.length === 0) return false;
  const steps: readonly (readonly [statement: string, rows: readonly Row[]])[] = [
    [ACTORS, rows.actors],
    [RESOURCES, rows.resources],
    [ADDRESSES, rows.addresses],
    [ACCOUNTS, rows.accounts],
    [REGIONS, rows.regions],
    [EVENTS, rows.events],
    [MEMBER_OF, rows.memberOf],
    [IN, rows.in],
    [LOCATED_IN, rows.locatedIn],
    [TOUCHED, rows.touched],
    [USED, rows.used],
  ];
  // All are on their way before the first answer comes; the server takes one after the other.
  await Promise.all(steps.map(([statement, rows]) => (rows.length === 0 ? null : run(statement, rows))));
  return true;
}
