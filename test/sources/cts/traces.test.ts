import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Event, Party } from '../../../src/core/event.ts';
import { isRejected } from '../../../src/core/source.ts';
import { toEvent } from '../../../src/sources/cts/event.ts';
import { OPTIONAL_LABELS, type Place, traceLabels } from '../../../src/sources/cts/labels.ts';
import { decodeTrace, type Trace } from '../../../src/sources/cts/trace.ts';
import { fixture } from '../../support/paths.ts';

interface Case {
  readonly name: string;
  readonly why: string;
  readonly trace: unknown;
  readonly rejected?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly optional_labels?: Readonly<Record<string, string>>;
  readonly limited?: boolean;
  readonly event?: { readonly id: string; readonly time: string };
}

const PLACE: Place = {
  region: 'eu-de',
  projectId: 'b7a1d2c3e4f5061728394a5b6c7d8e9f',
  projectName: 'eu-de_winery',
  account: '0c1d2e3f405162738495a6b7c8d9eafb',
  origin: 'https://cts.eu-de.otc.t-systems.com/v2.0/b7a1d2c3e4f5061728394a5b6c7d8e9f/',
};
const RECEIVED = Date.UTC(2026, 0, 1, 13);
const NONE: ReadonlySet<never> = new Set();
const ALL = new Set(OPTIONAL_LABELS);
const { cases } = JSON.parse(readFileSync(fixture('cts/traces.json'), 'utf8')) as { readonly cases: readonly Case[] };

t.test('there are cases', async (t) => {
  t.ok(cases.length > 50);
});

for (const one of cases) {
  t.test(`${one.name}: ${one.why}`, async (t) => {
    const trace = decodeTrace(one.trace);
    if (isRejected(trace)) t.equal(trace.rejected, one.rejected);
    else check(t, trace, one);
  });
}

function check(
  t: Test,
  trace: Trace,
  { labels, optional_labels, limited = false, event: wanted, rejected }: Case,
): void {
  t.equal(rejected, undefined);
  const off = { operation: '', user: '', region: '', project: '' };
  t.same(traceLabels(trace, PLACE, NONE), { labels: { ...labels, ...off }, limited });
  const all = traceLabels(trace, PLACE, ALL);
  t.same(all.labels, { ...labels, ...optional_labels, region: 'eu-de', project: 'eu-de_winery' });
  const event = toEvent({ trace, source: 'cts', place: PLACE, labels: all.labels, receivedAt: RECEIVED });
  t.match(event.id, wanted?.id === '(derived)' ? /^sha256-[0-9a-f]{32}$/ : wanted?.id);
  t.equal(trace.derived, wanted?.id === '(derived)');
  const time = wanted?.time === '(time of receipt)' ? new Date(RECEIVED).toISOString() : wanted?.time;
  t.same(told(t, event), { ...wanted, id: event.id, time });
  t.same(event.data.labels, all.labels);
  t.same(event.scope, { type: 'project', id: PLACE.projectId, name: PLACE.projectName });
  t.match(event.data, { dataset: 'cts', region: 'eu-de', account: PLACE.account, origin: PLACE.origin });
  t.notMatch(JSON.stringify(event), /Summer2026|"abc"/);
  const { raw: _, ...said } = event.data;
  t.notMatch(JSON.stringify({ ...event, data: said }), /null|""/, 'what is absent is left out');
}

/** An event in the words of the cases. */
function told(t: Test, { id, time, action, outcome, actor, target, data }: Event): object {
  const text = (value: unknown) => value ?? null;
  const isUser = actor?.type === 'user';
  t.same(target, targetOf(data));
  if (isUser) t.same([actor.id, actor.name], [data.userId ?? data.userName, data.userName]);
  return {
    id,
    time: new Date(time).toISOString(),
    recorded: data.recorded === undefined ? null : new Date(Number(data.recorded)).toISOString(),
    action,
    actor: {
      type: actor?.type,
      id: text(data.userId),
      name: text(data.userName),
      domain: text(data.userDomain),
      address: text(actor?.address),
      via: text(data.via),
    },
    target: {
      service: text(data.service),
      type: text(data.resourceType),
      id: text(data.resourceId),
      name: text(data.resourceName),
    },
    outcome: { ok: 'success', failed: 'failure', denied: 'failure', unknown: 'unknown' }[outcome],
    severity: data.severity,
    code: text(data.code),
  };
}

function targetOf(data: Event['data']): Party | undefined {
  const id = data.resourceId ?? data.resourceName;
  if (id === undefined) return undefined;
  const name = data.resourceName;
  return { type: String(data.resourceType ?? ''), id: String(id), ...(name !== undefined && { name: String(name) }) };
}
