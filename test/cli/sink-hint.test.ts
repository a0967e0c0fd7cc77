import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fixture } from '../support/paths.ts';
import { eventually, home } from '../support/trailgauge.ts';

const HINT = 'found $K_SINK, but no writer for it: set writers: { cloudevents: {} } to send events there';

t.test('a sink of Knative that nothing is sent to is told of once', async (t) => {
  const reaction = {
    config: fixture('reaction/etc'),
    command: fixture('reaction/reaction'),
    logs: { file: 'reaction.log' },
  };
  const { folder, start } = home(t, { sources: { reaction } });
  writeFileSync(join(folder, 'reaction.log'), '');
  for (const [env, times] of [
    [{ K_SINK: 'http://broker.test/' }, 1],
    [{ K_SINK: '' }, 0],
  ] as const) {
    const program = await start({ until: 'listening', env });
    await eventually('the start', () => program.log().includes('"started"'));
    t.equal(await program.stop(), 0);
    const messages = program
      .log()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
    t.equal(messages.filter((message) => message === HINT).length, times);
  }
});
