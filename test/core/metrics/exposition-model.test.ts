import fc from 'fast-check';
import t from 'tap';
import { EngineRig } from '../../support/engine-rig.ts';
import { crowd, events, scrapes } from '../../support/engine-steps.ts';

t.test('whatever happens, what is shown is what the plainest engine would show', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...events, ...scrapes), { maxLength: 80 }), (steps) =>
      new EngineRig().run(steps),
    ),
    { numRuns: 300 },
  );
});

t.test('so it is with more series than are written at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...events, ...scrapes, crowd, crowd), { maxLength: 12 }), (steps) =>
      new EngineRig(4_500).run(steps),
    ),
    { numRuns: 15 },
  );
});
