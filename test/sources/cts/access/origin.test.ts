import t from 'tap';
import { startFakeCts } from '../../../support/fake-cts.ts';
import { clientRig, ctsTrace, NOON } from '../../../support/fake-cts-client.ts';

t.test('the source of its CloudEvents is the same, whichever version of the API a service has', async (t) => {
  for (const api of ['v1.0', 'v2.0', 'v3'] as const) {
    const fake = await startFakeCts(t, { now: () => NOON, apis: [api] });
    const { client, signal } = clientRig(t, { auth: fake.auth, tracker: 'own' });
    fake.trackers = new Set(['own', 'system']);
    fake.add(ctsTrace(1, NOON));
    await client.list({ from: NOON - 1_000, to: NOON + 1, next: null }, signal);
    t.equal(fake.queries.at(-1)?.api, api);
    t.equal((await client.place(signal)).origin, `${fake.url}/v2.0/${fake.facts.projectId}/`);
  }
});
