import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { codeOf, errorText, judgeError } from '../../../src/writers/neo4j/errors.ts';
import { neo4j } from '../../../src/writers/neo4j/index.ts';
import { within } from '../../../src/writers/neo4j/within.ts';
import { patience, writeGraph } from '../../../src/writers/neo4j/write.ts';
import { freePort } from '../../support/time-series.ts';
import { openWriter, writeAll } from '../../support/writers.ts';

function failure(code: string, retryable = false): Error {
  return Object.assign(new Error('said'), { code, retryable });
}

function events(count: number): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: String(index), time: 0, source: 'cts', action: 'a', outcome: 'ok' as const, data: {} },
  }));
}

t.test('what an error asks for', async (t) => {
  const cases: readonly (readonly [code: string, kind: string])[] = [
    ['Neo.TransientError.Transaction.DeadlockDetected', 'again'],
    ['Neo.TransientError.General.DatabaseUnavailable', 'again'],
    ['Neo.TransientError.General.MemoryPoolOutOfMemoryError', 'smaller'],
    ['Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration', 'smaller'],
    ['Neo.ClientError.Security.Unauthorized', 'hold'],
    ['Neo.ClientError.Security.AuthenticationRateLimit', 'hold'],
    ['Neo.ClientError.Security.Forbidden', 'hold'],
    ['Neo.ClientError.Database.DatabaseNotFound', 'hold'],
    ['Neo.ClientError.Cluster.NotALeader', 'hold'],
    ['Neo.ClientError.General.ForbiddenOnReadOnlyDatabase', 'hold'],
    ['Neo.ClientError.General.WriteOnReadOnlyAccessDatabase', 'hold'],
    ['ProtocolError', 'hold'],
    ['Neo.ClientError.Schema.ConstraintValidationFailed', 'race'],
    ['Neo.ClientError.Statement.ArgumentError', 'split'],
    ['Neo.DatabaseError.General.UnknownError', 'unclear'],
    ['N/A', 'unclear'],
    ['', 'unclear'],
  ];
  for (const [code, kind] of cases) t.equal(judgeError(failure(code)).kind, kind, code);
  t.equal(judgeError(failure('ServiceUnavailable', true)).kind, 'again');
  t.equal(judgeError(failure('Neo.ClientError.Security.AuthorizationExpired', true)).kind, 'again');
  t.ok(judgeError(failure('Neo.ClientError.Security.CredentialsExpired')).isSecret);
  t.notOk(judgeError(failure('Neo.ClientError.Security.Forbidden')).isSecret);
  t.equal(errorText(failure('Neo.ClientError.X.Y')), 'Neo.ClientError.X.Y: said');
  t.equal(errorText('a\n b'), 'a b');
  t.equal(codeOf(null), '');
});

t.test('a server that does not answer says nothing of the events', async (t) => {
  const late = await within(new Promise<never>(() => {}), { ms: 1, signal: new AbortController().signal }).catch(
    (error: unknown) => error,
  );
  t.match(judgeError(late), { kind: 'again', text: 'no answer within 0 s' });
  t.equal(judgeError(failure('N/A')).kind, 'unclear');
  const waited = Object.assign(new Error('Connection acquisition timed out in 15000 ms.'), { code: 'N/A' });
  t.equal(judgeError(waited).kind, 'again');
});

t.test('what is wrong is told with what to do about it, and holds last for a minute', async (t) => {
  const writer = openWriter(t, neo4j, { uri: `bolt://127.0.0.1:${await freePort()}` });
  t.match(await writeAll(writer, events(1)), { kind: 'later', text: /ECONNREFUSED.*; is the server running/ });
  t.match(neo4j.pace, { firstMs: 1_000, maxMs: 60_000, holdMs: 60_000, maxHoldMs: 60_000 });
});

t.test('one transaction, and no more', async (t) => {
  const sizes: number[] = [];
  const transact = async (some: readonly Event[]) => sizes.push(some.length) > 0;
  const writing = { transact, probe: async () => {}, patience: patience() };
  t.same(await writeGraph(events(10), writing), { kind: 'done', dead: [] });
  t.same(sizes, [10]);
});

t.test('the halves of what is refused', async (t) => {
  const bad = new Set(['3', '8']);
  const seen = new Set<string>();
  const transact = async (some: readonly Event[]) => {
    if (some.some(({ id }) => bad.has(id))) throw failure('Neo.ClientError.Statement.ArgumentError');
    for (const { id } of some) seen.add(id);
    return true;
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  const written = await writeGraph(events(10), writing);
  t.match(written, { kind: 'done', dead: [{ index: 3 }, { index: 8 }] });
  t.equal(seen.size, 8);
});

t.test('where all are refused, nothing is dropped', async (t) => {
  const transact = async () => {
    throw failure('Neo.ClientError.Statement.SyntaxError');
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  const all = await writeGraph(events(3), writing);
  t.match(all, { kind: 'later', hold: true, more: true, settled: [], dead: [] }, 'one behind them may tell');
  t.match(await writeGraph(events(1), writing), { kind: 'done', dead: [{ index: 0, reason: 'rejected' }] });
  const unable = { ...writing, probe: transact };
  t.match(await writeGraph(events(1), unable), { kind: 'later', hold: true, settled: [], dead: [] });
});

t.test('what was there already proves nothing', async (t) => {
  const transact = async (some: readonly Event[]) => {
    if (some.some(({ id }) => Number(id) >= 2)) throw failure('Neo.ClientError.Statement.ArgumentError');
    return false;
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  t.match(await writeGraph(events(4), writing), { kind: 'later', hold: true, settled: [0, 1], dead: [] });
});

t.test('a wait in the middle keeps what is done', async (t) => {
  let count = 0;
  const transact = async (some: readonly Event[]) => {
    count += 1;
    if (some.length === 4) throw failure('Neo.ClientError.Statement.ArgumentError');
    if (count === 3) throw failure('ServiceUnavailable', true);
    return true;
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  t.match(await writeGraph(events(4), writing), { kind: 'later', hold: false, settled: [0, 1], dead: [] });
});

t.test('a race is run again at once, a few times', async (t) => {
  let left = 2;
  const transact = async () => {
    if (left-- > 0) throw failure('Neo.ClientError.Schema.ConstraintValidationFailed');
    return true;
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  t.same(await writeGraph(events(2), writing), { kind: 'done', dead: [] });
});

t.test('too much at once is made smaller, and no event is blamed', async (t) => {
  const transact = async (some: readonly Event[]) => {
    if (some.length > 2) throw failure('Neo.TransientError.General.MemoryPoolOutOfMemoryError', true);
    return true;
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  t.same(await writeGraph(events(9), writing), { kind: 'done', dead: [] });
  const none = async () => {
    throw failure('Neo.TransientError.General.MemoryPoolOutOfMemoryError', true);
  };
  t.match(await writeGraph(events(9), { ...writing, transact: none }), { kind: 'later', hold: false, settled: [] });
});

t.test('an unclear error is waited for, but not for ever', async (t) => {
  const transact = async (some: readonly Event[]) => {
    if (some.some(({ id }) => id === '5')) throw failure('Neo.DatabaseError.General.UnknownError');
    return true;
  };
  const writing = { transact, probe: async () => {}, patience: patience() };
  for (let tries = 1; tries < 20; tries++) {
    t.match(await writeGraph(events(9), writing), { kind: 'later', hold: false, settled: [], dead: [] });
  }
  t.match(await writeGraph(events(9), writing), { kind: 'done', dead: [{ index: 5 }] });
});
