import type { Event } from '../../core/event.ts';
import { dataOf, datasetOf, textOf } from '../event-data.ts';
import { traceType } from '../trace-type.ts';
import type { Model, Run, SchemaItem } from './model.ts';
import { byText, epochMs, nodeKey } from './texts.ts';
import { ctsUser } from './trails-event.ts';

/**
 * The model `cloudtrace`: labels, keys and relationship types of the Go program cloudtrace-exporter, whose graph may be
 * there already. Each node and edge is looked for before it is made.
 */
export const cloudtrace: Model = {
  schema: [
    unique('cloudtrace_action', 'ACTION', 'n.id'),
    unique('cloudtrace_subject', 'SUBJECT', 'n.id'),
    unique('cloudtrace_resource', 'RESOURCE', 'n.id'),
    unique('cloudtrace_status', 'STATUS', 'n.id'),
    unique('cloudtrace_region', 'REGION', 'n.name'),
    unique('cloudtrace_tenant', 'TENANT', 'n.tenantId, n.domainId'),
  ],
  takes: (event) => datasetOf(event) === 'cts',
  write: writeCloudtrace,
};

/** A trace as the nodes that it touches; null where there is none. */
export interface CloudtraceEvent {
  readonly id: string;
  readonly time: bigint;
  readonly source: string;
  readonly type: string;
  readonly subject: string | null;
  readonly resource: string | null;
  readonly status: string;
  readonly tenant: { readonly tenantId: string; readonly domainId: string } | null;
  readonly region: string | null;
}

/** A trace as the Go program knew it, but for the subject: here it is who acted. */
export function cloudtraceEvent(event: Event): CloudtraceEvent {
  const said = (name: string) => textOf(dataOf(event, name));
  const user = ctsUser(event);
  const tenantId = event.scope?.id ?? '';
  return {
    id: nodeKey(event.id),
    time: epochMs(event.time),
    source: nodeKey(said('origin') || `/trailgauge/${event.source}`),
    type: nodeKey(traceType(event)),
    subject: keyOrNull(user?.name || user?.id),
    resource: keyOrNull(said('resourceId') || said('resourceName') || event.target?.id),
    status: nodeKey(said('rating').trim().toLowerCase() || 'unknown'),
    tenant: tenantId === '' ? null : { tenantId: nodeKey(tenantId), domainId: nodeKey(said('account')) },
    region: keyOrNull(said('region')),
  };
}

function keyOrNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : nodeKey(text);
}

function unique(name: string, label: string, properties: string): SchemaItem {
  return {
    name,
    statement: `CREATE CONSTRAINT ${name} IF NOT EXISTS FOR (n:${label}) REQUIRE (${properties}) IS UNIQUE`,
    plain: {
      name: `${name}_plain`,
      statement: `CREATE INDEX ${name}_plain IF NOT EXISTS FOR (n:${label}) ON (${properties})`,
    },
  };
}

const ACTIONS = `UNWIND $rows AS row
MERGE (a:ACTION {id: row[0]})
SET a.timestamp = datetime.fromepochmillis(row[1]), a.source = row[2], a.type = row[3]`;
const SUBJECTS = 'UNWIND $rows AS row MERGE (:SUBJECT {id: row[0]})';
const RESOURCES = 'UNWIND $rows AS row MERGE (:RESOURCE {id: row[0]})';
const STATUSES = 'UNWIND $rows AS row MERGE (:STATUS {id: row[0]})';
const TENANTS = 'UNWIND $rows AS row MERGE (:TENANT {tenantId: row[0], domainId: row[1]})';
const REGIONS = 'UNWIND $rows AS row MERGE (:REGION {name: row[0]})';
const PERFORMED_BY = `UNWIND $rows AS row
MATCH (a:ACTION {id: row[0]})
MATCH (s:SUBJECT {id: row[1]})
MERGE (a)-[:PERFORMED_BY]->(s)`;
const APPLIED_ON = `UNWIND $rows AS row
MATCH (a:ACTION {id: row[0]})
MATCH (r:RESOURCE {id: row[1]})
MERGE (a)-[:APPLIED_ON]->(r)`;
const WITH_STATUS = `UNWIND $rows AS row
MATCH (a:ACTION {id: row[0]})
MATCH (s:STATUS {id: row[1]})
MERGE (a)-[:WITH_STATUS]->(s)`;
const MEMBER_OF = `UNWIND $rows AS row
MATCH (r:RESOURCE {id: row[0]})
MATCH (t:TENANT {tenantId: row[1], domainId: row[2]})
MERGE (r)-[:MEMBER_OF]->(t)`;
const LOCATED_AT = `UNWIND $rows AS row
MATCH (t:TENANT {tenantId: row[0], domainId: row[1]})
MATCH (g:REGION {name: row[2]})
MERGE (t)-[:LOCATED_AT]->(g)`;

type Row = readonly (string | bigint)[];

async function writeCloudtrace(events: readonly Event[], run: Run): Promise<boolean> {
  const traces = events.map(cloudtraceEvent);
  const rows = (pick: (trace: CloudtraceEvent) => readonly (string | bigint | null)[]) => uniqueRows(traces.map(pick));
  const steps: readonly (readonly [statement: string, rows: readonly Row[]])[] = [
    [ACTIONS, uniqueRows(traces.map(({ id, time, source, type }) => [id, time, source, type]))],
    [SUBJECTS, rows(({ subject }) => [subject])],
    [RESOURCES, rows(({ resource }) => [resource])],
    [STATUSES, rows(({ status }) => [status])],
    [TENANTS, rows(({ tenant }) => tenantRow(tenant))],
    [REGIONS, rows(({ region }) => [region])],
    [PERFORMED_BY, rows(({ id, subject }) => [id, subject])],
    [APPLIED_ON, rows(({ id, resource }) => [id, resource])],
    [WITH_STATUS, rows(({ id, status }) => [id, status])],
    [MEMBER_OF, rows(({ resource, tenant }) => [resource, ...tenantRow(tenant)])],
    [LOCATED_AT, rows(({ tenant, region }) => [...tenantRow(tenant), region])],
  ];
  await Promise.all(steps.map(([statement, rows]) => (rows.length === 0 ? null : run(statement, rows))));
  return events.length > 0;
}

function tenantRow(tenant: CloudtraceEvent['tenant']): readonly (string | null)[] {
  return tenant ? [tenant.tenantId, tenant.domainId] : [null];
}

/** Each row once, in their order; those that lack an end are left out, as no node can be found or made of nothing. */
function uniqueRows(rows: readonly (readonly (string | bigint | null)[])[]): readonly Row[] {
  const found = new Map<string, Row>();
  for (const row of rows) {
    const whole = row.filter((cell) => cell !== null);
    if (whole.length === row.length) found.set(whole.join('\0'), whole);
  }
  return [...found].toSorted(([a], [b]) => byText(a, b)).map(([, row]) => row);
}
