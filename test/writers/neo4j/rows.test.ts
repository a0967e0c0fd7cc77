import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { cloudtraceEvent } from '../../../src/writers/neo4j/cloudtrace.ts';
import { epochMs, messageText, nodeKey } from '../../../src/writers/neo4j/texts.ts';
import { EVENT_PROPERTIES, trailsEvent } from '../../../src/writers/neo4j/trails-event.ts';
import { trailsRows } from '../../../src/writers/neo4j/trails-rows.ts';
import { ctsCases } from '../../support/cts-events.ts';

const EMPTY: Event = { id: '1', time: 0, source: 'cts', action: '', outcome: 'unknown', data: { dataset: 'cts' } };

function ctsCase(name: string): Event {
  const found = ctsCases().find((one) => one.name === name);
  if (!found) throw new Error(`no case ${name}`);
  return found.event;
}

t.test('keys', async (t) => {
  t.equal(nodeKey('cts', '', 'a'), 'cts::a');
  const long = nodeKey('x'.repeat(1_001));
  t.match(long, /^x{900}#[0-9a-f]{64}$/);
  t.not(long, nodeKey('x'.repeat(1_002)));
  t.equal(nodeKey('x'.repeat(1_000)).length, 1_000);
  t.equal(nodeKey('a\ud800'), 'a\ufffd');
  t.ok(nodeKey(`${'x'.repeat(899)}${'🍷'.repeat(60)}`).isWellFormed());
  t.equal(messageText('m'.repeat(5_000))?.length, 4_000);
  t.equal(epochMs(1.9), 1n);
  t.equal(epochMs(Number.NaN), 0n);
  t.equal(epochMs(1e300), 8_640_000_000_000_000n);
});

t.test('an event of which nothing is known', async (t) => {
  const { actor, resource, address, account, domain, region, values } = trailsEvent(EMPTY);
  t.same([actor, resource, address, account, domain, region], [null, null, null, null, null, null]);
  const known = EVENT_PROPERTIES.filter((_, index) => values[index] !== null);
  t.same(known, ['key', 'id', 'source', 'outcome']);
  t.same(cloudtraceEvent(EMPTY), {
    ...{ id: '1', time: 0n, source: '/trailgauge/cts', type: 'cts.trace', subject: null, resource: null },
    ...{ status: 'unknown', tenant: null, region: null },
  });
});

t.test('who acts in a trace', async (t) => {
  const key = (name: string) => trailsEvent(ctsCase(name)).actor?.key;
  t.match(key('plain'), /^cts:0c1d[0-9a-f]+:11aa[0-9a-f]+$/);
  t.equal(key('system-action'), 'cts:system');
  t.equal(cloudtraceEvent(ctsCase('system-action')).subject, 'system');
  t.match(key('system-action-user'), /:11aa[0-9a-f]+$/);
  t.equal(key('user-plain-text'), 'cts::name:jon.keller');
  t.equal(key('user-no-name'), 'cts::ab12');
  t.equal(trailsEvent(ctsCase('resource-missing')).resource, null);
  t.match(trailsEvent(ctsCase('resource-name-only')).resource?.key, /:name:/);
});

t.test('rows are unique, sorted, and added up', async (t) => {
  const base = ctsCase('plain');
  const at = (id: string, time: number, outcome: Event['outcome']) => trailsEvent({ ...base, id, time, outcome });
  const rows = trailsRows([at('b', 20, 'ok'), at('a', 30, 'denied'), at('c', 10, 'failed')]);
  t.same(
    rows.events.map(([key]) => key),
    ['cts:a', 'cts:b', 'cts:c'],
  );
  t.equal(rows.actors.length, 1);
  t.same(rows.touched[0]?.slice(2), [3n, 2n, 10n, 30n]);
  t.same(rows.used[0]?.slice(2), [3n, 2n, 10n, 30n]);
  t.same([rows.in.length, rows.locatedIn.length, rows.memberOf.length, rows.accounts.length], [1, 1, 1, 2]);
});
