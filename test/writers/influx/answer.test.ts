import { readFileSync } from 'node:fs';
import t from 'tap';
import { retryAfterMs } from '../../../src/lib/http.ts';
import { judgeWrite, type WriteVerdict } from '../../../src/writers/influx/answer.ts';
import { fixture } from '../../support/paths.ts';

interface Case {
  readonly api: string;
  readonly status: number;
  readonly headers?: { readonly 'Retry-After'?: string };
  readonly body?: unknown;
  readonly expect: string;
}

const LINES = ['m f=1i 1', 'm,t=1 f=bad', 'bad line here', 'm f=4i 4'];

function judge(
  status: number,
  body: unknown = '',
  lines: readonly string[] = LINES,
  retryAfter?: string,
): WriteVerdict {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return judgeWrite({ status, text, truncated: false, retryAfterMs: retryAfterMs(retryAfter, 0) }, lines);
}

t.test('the table of answers', async (t) => {
  const wanted = new Map<string, object>([
    ['delivered', { kind: 'done' }],
    ['halve, dead-letter the bad line', { kind: 'split' }],
    ['delivered except 2 rejected', { kind: 'partial', dropped: 2, dead: [] }],
    ['all again after at least 30 s', { kind: 'again', waitMs: 30_000 }],
    ['all again after at least 10 s', { kind: 'again', waitMs: 10_000 }],
    ['delivered except the bad line', { kind: 'partial', dropped: 0, dead: [{ index: 2 }] }],
    ['keep, try again every 30 s', { kind: 'hold' }],
    ['delivered except line 2', { kind: 'partial', dropped: 0, dead: [{ index: 1, text: 'invalid field value' }] }],
    ['halve', { kind: 'split' }],
  ]);
  const cases = JSON.parse(readFileSync(fixture('object-logs/writers/influx-answers.json'), 'utf8')) as Case[];
  for (const { api, status, headers, body, expect } of cases) {
    const want = wanted.get(expect);
    if (!want) throw new Error(`no expectation ${expect}`);
    t.match(judge(status, body, LINES, headers?.['Retry-After']), want, `${api} ${status}: ${expect}`);
  }
});

t.test('by status', async (t) => {
  for (const status of [200, 202, 204]) t.same(judge(status), { kind: 'done' });
  for (const status of [408, 429, 500, 502, 503, 504])
    t.match(judge(status), { kind: 'again', waitMs: 0 }, `${status}`);
  for (const status of [301, 302, 401, 403, 404, 405]) t.match(judge(status), { kind: 'hold' }, `${status}`);
  for (const status of [400, 413, 422]) t.match(judge(status), { kind: 'split' }, `${status}`);
});

t.test('a line alone is refused for good', async (t) => {
  const alone = ['bad line here'];
  t.same(judge(400, { error: 'no' }, alone), { kind: 'dead', reason: 'rejected', text: 'HTTP 400: no' });
  t.match(judge(422, { message: 'partial write: x dropped=1' }, alone), { kind: 'dead', reason: 'rejected' });
  t.match(judge(413, '', alone), { kind: 'dead', reason: 'too_large', text: 'HTTP 413' });
});

t.test('what a partial write lost', async (t) => {
  const conflict = 'partial write: field type conflict: input field "f" on measurement "m" is type float dropped=';
  t.match(judge(400, { error: `${conflict}3` }), { kind: 'partial', dead: [], dropped: 3 });
  t.match(judge(400, { error: `${conflict}0` }), { kind: 'partial', dead: [], dropped: 1 }, 'one at least');
  t.match(judge(400, { error: `${conflict}99` }), { kind: 'partial', dropped: 4 }, 'all at most');
  const two = "partial write: unable to parse 'bad line here': x\nunable to parse 'm,t=1 f=bad': y dropped=3";
  const verdict = judge(400, { error: two });
  t.match(verdict, { kind: 'partial', dropped: 1 });
  t.same(verdict.kind === 'partial' && verdict.dead, [
    { index: 1, text: "unable to parse 'm,t=1 f=bad': y dropped=3" },
    { index: 2, text: "unable to parse 'bad line here': x" },
  ]);
});

t.test('answers of version 3 that cannot be relied on', async (t) => {
  const partial = 'partial write of line protocol occurred';
  const data = [null, 7, {}, { line_number: 0 }, { line_number: 9 }, { line_number: 1.5 }, { line_number: 1 }];
  t.match(judge(400, { error: partial, data }), { kind: 'partial', dead: [{ index: 0, text: 'refused' }], dropped: 0 });
  const moved = [{ line_number: 1, original_line: 'bad line here', error_message: 'x' }];
  t.match(judge(400, { error: partial, data: moved }), { kind: 'partial', dead: [{ index: 2 }] }, 'the text wins');
  t.match(judge(400, { error: partial, data: 'none' }), { kind: 'partial', dead: [], dropped: 1 });
});

t.test('a list that is cut names too few', async (t) => {
  const text = '{"error":"partial write of line protocol occurred","data":[{"line_number":1';
  const answer = { status: 400, text, truncated: true, retryAfterMs: null };
  t.match(judgeWrite(answer, LINES), { kind: 'split' });
  t.match(judgeWrite(answer, LINES.slice(0, 1)), { kind: 'dead' });
});

t.test('bodies of any kind', async (t) => {
  for (const body of ['', '<html>', 'null', '[]', '{"message":7}', '"text"', '{', '\ud800']) {
    t.match(judge(400, body), { kind: 'split' }, body);
  }
  const { text } = judge(400, `${'x\n'.repeat(1_000)}`) as { text: string };
  t.ok(text.length < 400 && !text.includes('\n'), 'one short line');
});
