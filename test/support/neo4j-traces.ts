import type { Event } from '../../src/core/event.ts';

export const TIME = Date.parse('2026-11-01T10:00:00Z');

/** Ordinary traces: a few people, many volumes, every tenth refused. */
export function traces(count: number, more: Partial<Event> = {}): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `trace-${String(index).padStart(6, '0')}`,
    time: TIME + index * 1_000,
    source: 'cts',
    action: 'createVolume',
    outcome: index % 10 === 0 ? ('denied' as const) : ('ok' as const),
    actor: { type: 'user', id: `u${index % 7}`, name: `user ${index % 7}`, address: `203.0.113.${index % 9}` },
    target: { type: 'evs', id: `vol-${index % 50}` },
    scope: { type: 'project', id: 'p1' },
    data: {
      dataset: 'cts',
      severity: 'info',
      userId: `u${index % 7}`,
      userName: `user ${index % 7}`,
      userDomain: 'd1',
      service: 'EVS',
      resourceType: 'evs',
      resourceId: `vol-${index % 50}`,
      region: 'eu-de',
      account: 'd1',
    },
    ...more,
  }));
}
