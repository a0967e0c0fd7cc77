import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { type Check, runChecks, type Told } from '../../src/cli/checks.ts';
import type { Finding } from '../../src/core/source.ts';

const FINE: Finding = { ok: true, detail: 'fine' };
const NEVER = new AbortController().signal;

function check(name: string, run: Check['run']): Check {
  return { name, run };
}

async function toldBy(checks: readonly Check[], signal: AbortSignal, limitMs = 60_000): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const [name, told] of runChecks(checks, { signal, limitMs })) lines.push(line(name, told));
  return lines;
}

function line(name: string, told: Told): string {
  return told === 'stopped' ? `${name} stopped` : `${name} ${told.ok ? 'ok' : 'FAIL'} ${told.detail}`;
}

/** Waits until it is told to end, and says why. */
async function* hanging(signal: AbortSignal): AsyncGenerator<Finding> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  yield { ok: false, detail: (signal.reason as Error).message };
  yield { ok: false, detail: 'and more' };
}

t.test('side by side, told in order, and not too many at once', async (t) => {
  let begun = 0;
  let release = () => {};
  const eighth = new Promise<void>((resolve) => (release = resolve));
  const checks = Array.from({ length: 20 }, (_, index) =>
    check(String(index), async function* () {
      begun += 1;
      yield FINE;
      if (index === 7) release();
      if (index === 0) {
        await eighth;
        await delay(50);
        t.equal(begun, 8, 'the others wait for the first one');
      }
      yield FINE;
    }),
  );
  const names: string[] = [];
  for await (const [name] of runChecks(checks, { signal: NEVER })) {
    names.push(name);
  }
  t.same(
    names,
    checks.flatMap(({ name }) => [name, name]),
  );
});

t.test('a check that does not answer, one that answers slowly, and one that does not even end', async (t) => {
  const slow = check('slow', async function* (signal, heard) {
    for (let index = 0; index < 10; index++) {
      await delay(100);
      heard();
    }
    yield { ok: !signal.aborted, detail: 'slow' };
  });
  const deaf = check('deaf', async function* () {
    yield FINE;
    await new Promise(() => {});
  });
  const broken = check('broken', () => {
    throw new Error('cannot be begun');
  });
  t.same(await toldBy([check('late', hanging), slow, deaf, broken], NEVER, 500), [
    'late FAIL no answer within 0.5 s',
    'slow ok slow',
    'deaf ok fine',
    'deaf FAIL neither an answer nor an error within 0.5 s; is a file that it reads a pipe, or on a disk that does not answer?',
    'broken FAIL cannot be begun',
  ]);
});

t.test('stopped: what was found is told, and what was not', async (t) => {
  const stop = new AbortController();
  let begun = 0;
  const last = check('last', async function* () {
    yield FINE;
    setImmediate(() => stop.abort());
  });
  const later = check('later', async function* () {
    begun += 1;
    yield FINE;
  });
  const others = Array.from({ length: 6 }, () => check('hanging', hanging));
  t.same(await toldBy([...others, check('half', half), last, later], stop.signal), [
    ...others.map(() => 'hanging stopped'),
    'half ok fine',
    'half stopped',
    'last ok fine',
    'later stopped',
  ]);
  t.equal(begun, 0);

  async function* half(signal: AbortSignal): AsyncGenerator<Finding> {
    yield FINE;
    yield* hanging(signal);
  }
});
