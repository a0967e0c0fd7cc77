import type { Neo4j } from './neo4j.ts';

/** A graph as sorted lines: `LABEL KEY`, and `LABEL KEY -[TYPE]-> LABEL KEY`. */
export interface GraphText {
  readonly nodes: readonly string[];
  readonly relationships: readonly string[];
}

/** Either model's. */
export async function graphText(server: Neo4j): Promise<GraphText> {
  return { nodes: await nodeTexts(server), relationships: await edgeTexts(server) };
}

export async function nodeTexts(server: Neo4j): Promise<readonly string[]> {
  const rows = await server.query(`MATCH (n) RETURN ${named('n')} AS text`);
  return rows.map(({ text }) => String(text)).toSorted();
}

export async function edgeTexts(server: Neo4j): Promise<readonly string[]> {
  const rows = await server.query(
    `MATCH (a)-[r]->(b) RETURN ${named('a')} + ' -[' + type(r) + ']-> ' + ${named('b')} AS text`,
  );
  return rows.map(({ text }) => String(text)).toSorted();
}

function named(node: string): string {
  return `labels(${node})[0] + ' ' + coalesce(${node}.key, ${node}.id, ${node}.tenantId, ${node}.name)`;
}

/** What is in a graph of the model `trails`, and of the other one how many nodes and edges. */
export interface Totals {
  readonly nodes: number;
  readonly edges: number;
  readonly events: number;
  readonly performed: number;
  readonly touched: number;
  readonly used: number;
  readonly failures: number;
}

export async function totalsOf(server: Neo4j): Promise<Totals> {
  const [row] = await server.query(`RETURN COUNT { MATCH () } AS nodes, COUNT { MATCH ()-[]->() } AS edges,
    COUNT { MATCH (:Event) } AS events, COUNT { MATCH ()-[:PERFORMED]->() } AS performed,
    COLLECT { MATCH ()-[t:TOUCHED]->() RETURN sum(t.events) }[0] AS touched,
    COLLECT { MATCH ()-[t:TOUCHED]->() RETURN sum(t.failures) }[0] AS failures,
    COLLECT { MATCH ()-[t:USED]->() RETURN sum(t.events) }[0] AS used`);
  return row as unknown as Totals;
}
