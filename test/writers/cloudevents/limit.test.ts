import t from 'tap';
import { traceText } from '../../../src/writers/cloudevents/limit.ts';

const KIB = 1024;

t.test('what is small enough stays as it is', async (t) => {
  const trace = { trace_id: 'a', request: 'x'.repeat(30 * KIB), response: { a: 'y'.repeat(20 * KIB) } };
  t.equal(traceText(trace, 1_000), JSON.stringify(trace));
});

t.test('long requests and responses are cut, and end in a sign for it', async (t) => {
  const trace = { trace_id: 'a', request: 'ä'.repeat(40 * KIB), response: { a: 'y'.repeat(20 * KIB) }, message: 'm' };
  const { request, response, ...rest } = JSON.parse(traceText(trace, 1_000)) as Record<string, string>;
  t.same(rest, { trace_id: 'a', message: 'm' });
  for (const text of [request ?? '', response ?? '']) {
    const bytes = Buffer.byteLength(text);
    t.ok(bytes <= 8 * KIB && bytes > 8 * KIB - 4, `${bytes} bytes`);
    t.match(text, /[äy]…$/);
  }
  t.match(response, /^\{"a":"yyy/);
  t.match(request, /^ä+…$/, 'no character is cut in two');
});

t.test('a short one beside a long one is left alone', async (t) => {
  const text = traceText({ request: { a: 1 }, response: 'y'.repeat(61 * KIB) }, 0);
  t.match(JSON.parse(text), { request: { a: 1 }, response: /…$/ });
});

t.test('if that is not enough they are left out, and no more', async (t) => {
  const trace = {
    trace_id: 'a',
    message: 'm'.repeat(50 * KIB),
    request: 'x'.repeat(9 * KIB),
    response: 'y'.repeat(9 * KIB),
  };
  const { request: _, response: __, ...rest } = trace;
  t.equal(traceText(trace, 0), JSON.stringify(rest));
  const huge = { trace_id: 'a', message: 'm'.repeat(100 * KIB), response: null };
  t.equal(traceText(huge, 0), JSON.stringify({ trace_id: 'a', message: huge.message }));
});

t.test('the attributes count too', async (t) => {
  const trace = { request: 'x'.repeat(50 * KIB) };
  t.equal(traceText(trace, 9 * KIB), JSON.stringify(trace));
  t.match(traceText(trace, 11 * KIB), /x…"\}$/);
});
