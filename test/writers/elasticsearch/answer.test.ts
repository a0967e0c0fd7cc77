import { readFileSync } from 'node:fs';
import t from 'tap';
import { retryAfterMs } from '../../../src/lib/http.ts';
import { type BulkVerdict, judgeBulk } from '../../../src/writers/elasticsearch/answer.ts';
import { fixture } from '../../support/paths.ts';

interface Case {
  readonly what: string;
  readonly status: number;
  readonly headers?: { readonly 'Retry-After'?: string };
  readonly body: unknown;
  readonly expect:
    | 'halves'
    | {
        readonly delivered: number;
        readonly again: readonly number[];
        readonly dead: readonly number[];
        readonly wait_at_least_s?: number;
      };
}

interface Judging {
  readonly body?: unknown;
  readonly sent?: number;
  readonly truncated?: boolean;
  readonly wait?: string | undefined;
}

function judge(status: number, { body = '', sent = 4, truncated = false, wait }: Judging = {}): BulkVerdict {
  const text = typeof body === 'string' ? body : body === null ? '' : JSON.stringify(body);
  return judgeBulk({ status, text, truncated, retryAfterMs: retryAfterMs(wait, 0) }, sent);
}

/** The answer to items of which each got such a status. */
function answer(statuses: readonly number[], action = 'create'): unknown {
  const items = statuses.map((status) => ({
    [action]: { _id: 'x', status, ...(status > 299 && { error: { type: 'some_exception', reason: 'because' } }) },
  }));
  return { took: 1, errors: statuses.some((status) => status > 299), items };
}

/** Places of 4 items, from 1 as the table counts them, that are to be sent again. */
function sentAgain(verdict: BulkVerdict): readonly number[] {
  if (verdict.kind === 'again') return [1, 2, 3, 4];
  return verdict.kind === 'items' ? verdict.again.map((index) => index + 1) : [];
}

t.test('the table of answers', async (t) => {
  const cases = JSON.parse(readFileSync(fixture('object-logs/writers/bulk-answers.json'), 'utf8')) as Case[];
  t.ok(cases.length >= 7);
  for (const { what, status, headers, body, expect } of cases) {
    const verdict = judge(status, { body, wait: headers?.['Retry-After'] });
    if (expect === 'halves') {
      t.match(verdict, { kind: 'split' }, what);
      continue;
    }
    const { done, dead } = verdict.kind === 'items' ? verdict : { done: [], dead: [] };
    t.equal(done.length, expect.delivered, what);
    t.same(sentAgain(verdict), expect.again, what);
    t.same(
      dead.map(({ index }) => index + 1),
      expect.dead,
      what,
    );
    const waitMs = 'waitMs' in verdict ? verdict.waitMs : 0;
    t.ok(waitMs >= (expect.wait_at_least_s ?? 0) * 1_000, what);
  }
});

t.test('by item', async (t) => {
  const verdict = judge(200, { body: answer([201, 200, 409, 429, 500, 503, 400, 404, 413, 302]), sent: 10, wait: '7' });
  t.same(verdict, {
    kind: 'items',
    done: [0, 1, 2],
    again: [3, 4, 5, 9],
    dead: [
      { index: 6, reason: 'rejected', text: 'some_exception: because' },
      { index: 7, reason: 'rejected', text: 'some_exception: because' },
      { index: 8, reason: 'too_large', text: 'some_exception: because' },
    ],
    waitMs: 7_000,
    text: 'some_exception: because',
  });
  t.match(judge(200, { body: answer([201], 'index'), sent: 1 }), { done: [0] }, 'whatever the action is called');
});

t.test('nobody may write: nothing is wrong with the items', async (t) => {
  for (const status of [401, 403]) {
    const verdict = judge(200, { body: answer([201, status, 429, 400]) });
    t.match(verdict, { kind: 'items', done: [0], again: [1, 2], dead: [{ index: 3 }], hold: true });
  }
});

t.test('the index cannot be written to: nothing is wrong with the items', async (t) => {
  const cases = [
    [404, 'index_not_found_exception', 'no such index [missing] and [action.auto_create_index] is [false]'],
    [400, 'index_closed_exception', 'closed'],
    [400, 'invalid_index_name_exception', 'Invalid index name [Trails], must be lowercase'],
    [400, 'validation_exception', 'Validation Failed: 1: this action would add [2] shards, but this cluster …;'],
    [400, 'illegal_argument_exception', 'no write index is defined for alias [al]. The write index may be …'],
  ] as const;
  for (const [status, type, reason] of cases) {
    const items = [{ create: { status: 201 } }, { create: { status, error: { type, reason } } }];
    const text = `${type}: ${reason}`;
    t.match(judge(200, { body: { items }, sent: 2 }), { done: [0], again: [1], dead: [], hold: true, text });
  }
  const error = { type: 'illegal_argument_exception', reason: 'Limit of total fields [1000] has been exceeded' };
  const body = { items: [{ create: { status: 400, error } }] };
  t.match(
    judge(200, { body, sent: 1 }),
    { again: [], dead: [{ index: 0 }], hold: undefined },
    'a document that is wrong',
  );
});

t.test('the cause of a refusal is told', async (t) => {
  const reason = "[1:15] failed to parse field [@timestamp] of type [date_nanos] in document with id 'x'";
  const told = (caused_by: unknown) => {
    const error = { type: 'document_parsing_exception', reason, caused_by };
    const verdict = judge(200, { body: { items: [{ create: { status: 400, error } }] }, sent: 1 });
    return verdict.kind === 'items' ? verdict.dead[0]?.text : null;
  };
  const cause = 'date[1960-01-01T00:00:00Z] is before the epoch in 1970';
  t.equal(
    told({ type: 'illegal_argument_exception', reason: cause }),
    `document_parsing_exception: ${reason} (${cause})`,
  );
  for (const none of [undefined, null, 'x', {}, { reason: 7 }, { reason }])
    t.equal(told(none), `document_parsing_exception: ${reason}`);
});

t.test('exactly 100, 200 and 0 events', async (t) => {
  for (const sent of [100, 200, 0]) {
    const all = Array.from({ length: sent }, (_, index) => index);
    const stored = judge(200, { body: answer(all.map(() => 201)), sent });
    t.same(stored, { kind: 'items', done: all, again: [], dead: [], waitMs: 0 });
    const busy = judge(200, { body: answer(all.map(() => 429)), sent });
    t.match(busy, { kind: 'items', done: [], again: all, dead: [], waitMs: 0 });
  }
});

t.test('the request as a whole', async (t) => {
  for (const status of [408, 429, 500, 502, 503, 504]) t.match(judge(status), { kind: 'again' }, `${status}`);
  for (const status of [301, 401, 403, 404, 405]) t.match(judge(status), { kind: 'hold' }, `${status}`);
  const busy = { error: { type: 'es_rejected_execution_exception', reason: 'rejected execution of operation' } };
  t.match(judge(429, { body: busy }), {
    text: 'HTTP 429: es_rejected_execution_exception: rejected execution of operation',
  });
  t.match(judge(503, { body: '<html>Service Unavailable</html>' }), { kind: 'again', text: 'HTTP 503' });
  const body = { error: { type: 'illegal_argument_exception', reason: 'no newline\nat the end' }, status: 400 };
  const text = 'HTTP 400: illegal_argument_exception: no newline at the end';
  t.same(judge(400, { body }), { kind: 'split', text });
  const refused = judge(400, { body, sent: 1 });
  t.same(refused, { kind: 'items', done: [], again: [], dead: [{ index: 0, reason: 'rejected', text }], waitMs: 0 });
  t.match(judge(413, { sent: 1 }), { kind: 'items', dead: [{ index: 0, reason: 'too_large', text: 'HTTP 413' }] });
});

t.test('answers that say nothing about the items', async (t) => {
  const bodies = ['', 'x', 'null', '[]', '{}', '{"items":{}}', { items: [1, 2, 3, 4] }, { items: [{}, {}, {}, {}] }];
  for (const body of bodies) t.match(judge(200, { body }), { kind: 'again' }, JSON.stringify(body));
  for (const count of [0, 3, 5]) {
    t.match(judge(200, { body: answer(new Array<number>(count).fill(201)) }), { kind: 'again' }, `${count} of 4`);
  }
  const noStatus = { errors: false, items: [{ create: {} }] };
  t.match(judge(200, { body: noStatus, sent: 1 }), { kind: 'again' });
  const cut = JSON.stringify(answer([201, 201, 201, 201])).slice(0, -9);
  t.match(judge(200, { body: cut, truncated: true }), { kind: 'split' }, 'fewer items have a shorter answer');
  t.match(judge(200, { body: cut, truncated: true, sent: 1 }), { kind: 'again' });
});
