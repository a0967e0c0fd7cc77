import type { Listing, Plan } from '../../lib/objects/plan.ts';
import type { ObjectStore } from '../../lib/objects/store.ts';
import type { Proof } from './proof.ts';

/** A plan that also leads to the files which digests list, and which no listing has shown. */
export function provenPlan(plan: Plan, proof: Proof, began: () => number): Plan {
  return {
    ...plan,
    listings: async function* (store, span, signal): AsyncGenerator<Listing> {
      yield* plan.listings(store, span, signal);
      for (const key of proof.wanted()) {
        const what = await lookFor(key, { store, began: began(), signal });
        proof.found(key, what);
        if (what === 'there') yield { prefix: key, startAfter: null, flat: false, ordered: false };
      }
    },
  };
}

async function lookFor(
  key: string,
  { store, began, signal }: { store: ObjectStore; began: number; signal: AbortSignal },
): Promise<'there' | 'missing' | 'old'> {
  const { objects } = await store.list({ prefix: key }, signal);
  const object = objects.find((one) => one.key === key);
  if (!object) return 'missing';
  return object.modified < began ? 'old' : 'there';
}
