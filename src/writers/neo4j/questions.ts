/** A question to a graph of the model `trails`; `$name` is to be given where it is asked for. */
export interface Question {
  /** One sentence, as a person would ask. */
  readonly text: string;
  readonly cypher: string;
  /** Parameters by name, and what they are. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** What a person who looks after security asks; each is run by a test on a real server. */
export const QUESTIONS: readonly Question[] = [
  {
    text: 'Who failed most often in the last day, and at what?',
    cypher: `MATCH (a:Actor)-[:PERFORMED]->(e:Event)
WHERE e.outcome = 'failure' AND e.time > datetime() - duration('P1D')
RETURN a.name AS actor, e.action AS action, count(*) AS failures, max(e.time) AS last
ORDER BY failures DESC LIMIT 20`,
  },
  {
    text: 'Who ever touched this resource, and from which addresses do they work?',
    parameters: { name: 'name of the resource' },
    cypher: `MATCH (a:Actor)-[t:TOUCHED]->(r:Resource {name: $name})
OPTIONAL MATCH (a)-[:USED]->(x:Address)
RETURN a.name AS actor, t.events AS events, t.failures AS failures, t.first AS first, t.last AS last,
  collect(x.key) AS addresses
ORDER BY last DESC`,
  },
  {
    text: 'Which actors came from an address in the last day that they never used before?',
    cypher: `MATCH (a:Actor)-[u:USED]->(x:Address)
WHERE u.first > datetime() - duration('P1D')
  AND EXISTS { MATCH (a)-[o:USED]->(:Address) WHERE o.first < datetime() - duration('P7D') }
RETURN a.name AS actor, x.key AS address, u.events AS events, u.first AS first
ORDER BY first DESC`,
  },
  {
    text: 'Which address failed at five or more accounts, as password spraying does?',
    cypher: `MATCH (a:Actor)-[u:USED]->(x:Address) WHERE u.failures > 0
WITH x, count(DISTINCT a) AS actors, sum(u.failures) AS failures, max(u.last) AS last
WHERE actors >= 5
RETURN x.key AS address, actors, failures, last
ORDER BY failures DESC`,
  },
  {
    text: 'What did the actor of a critical event do within an hour around it?',
    cypher: `MATCH (a:Actor)-[:PERFORMED]->(i:Event {severity: 'critical'})
WHERE i.time > datetime() - duration('P7D')
MATCH (a)-[:PERFORMED]->(e:Event)
WHERE e.time >= i.time - duration('PT1H') AND e.time <= i.time + duration('PT1H')
OPTIONAL MATCH (e)-[:ON]->(r:Resource)
RETURN a.name AS actor, i.key AS incident, e.time AS time, e.action AS action, e.outcome AS outcome, r.name AS resource
ORDER BY incident, time`,
  },
  {
    text: 'Who made a credential, and then worked from an address that was new?',
    cypher: `MATCH (a:Actor)-[:PERFORMED]->(c:Event {action: 'createCredential'})
MATCH (a)-[u:USED]->(x:Address)
WHERE u.first > c.time AND u.first < c.time + duration('P2D')
RETURN a.name AS actor, c.time AS created, x.key AS address, u.first AS first, u.events AS events`,
  },
  {
    text: 'How far does an account reach by those that share an address with it?',
    parameters: { name: 'name of the actor' },
    cypher: `MATCH (a:Actor {name: $name})-[:USED]->(:Address)<-[:USED]-(b:Actor)-[t:TOUCHED]->(r:Resource)
WHERE a <> b
RETURN b.name AS actor, r.type AS type, r.name AS resource, max(t.last) AS last
ORDER BY last DESC LIMIT 100`,
  },
  {
    text: 'Who changed permissions in the last week?',
    cypher: `MATCH (a:Actor)-[:PERFORMED]->(e:Event)
WHERE e.time > datetime() - duration('P7D') AND e.action =~ '(?i).*(role|assign|grant|polic|permission|agency).*'
OPTIONAL MATCH (e)-[:ON]->(r:Resource)
RETURN e.time AS time, a.name AS actor, e.action AS action, e.outcome AS outcome, e.address AS address, r.name AS target
ORDER BY time DESC LIMIT 100`,
  },
  {
    text: 'Which resources that nobody had touched for thirty days were touched in the last day, and by whom?',
    cypher: `MATCH (a:Actor)-[t:TOUCHED]->(r:Resource)
WHERE t.last > datetime() - duration('P1D')
MATCH (o:Actor)-[before:TOUCHED]->(r) WHERE before.first < datetime() - duration('P30D')
WITH DISTINCT r, a, t
MATCH (e:Event)-[:ON]->(r) WHERE e.time <= datetime() - duration('P1D')
WITH r, a, t, max(e.time) AS quiet
WHERE quiet < datetime() - duration('P30D')
RETURN r.type AS type, r.name AS resource, quiet, a.name AS actor, t.last AS last
ORDER BY last DESC`,
  },
  {
    text: 'Who touched the audit trail itself: stopped or deleted a tracker, a trail or a log?',
    cypher: `MATCH (a:Actor)-[:PERFORMED]->(e:Event)
WHERE e.action =~ '(?i)(delete|update|stop|disable|put|remove)[a-z]*(tracker|trail|log|audit|sink|notification).*'
OPTIONAL MATCH (e)-[:ON]->(r:Resource)
RETURN e.time AS time, a.name AS actor, e.action AS action, e.outcome AS outcome, e.address AS address, r.name AS target
ORDER BY time DESC LIMIT 100`,
  },
];
