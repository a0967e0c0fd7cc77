import fc from 'fast-check';
import t from 'tap';
import { jsonText } from '../../../src/lib/json-text.ts';
import type { JsonObject } from '../../../src/lib/json-value.ts';
import { maskTrace } from '../../../src/sources/cts/mask.ts';

function masked(request: unknown): unknown {
  return maskTrace({ trace_id: 'a', request }).request;
}

const NAMES = [
  'adminPass',
  'PASSWORD',
  'my_secret_1',
  'X-Auth-Token',
  'credentials',
  'privateKey',
  'PRIVATE_KEY',
  'a token',
];

for (const name of NAMES) {
  t.test(`the value of ${name}`, async (t) => {
    t.same(masked({ [name]: 'x', a: 'x' }), { [name]: '***', a: 'x' });
  });
}

t.test('what is masked, and what stays', async (t) => {
  t.same(masked({ token: 5, secret: true, pass: null, a: [{ token: '' }] }), {
    token: '***',
    secret: '***',
    pass: null,
    a: [{ token: '***' }],
  });
  t.same(masked({ token: { id: 'x', secret: 'y' } }), { token: { id: 'x', secret: '***' } });
  t.same(masked({ passwords: ['x', ['y', { a: 'z', pass: 'z' }]] }), {
    passwords: ['***', ['***', { a: 'z', pass: '***' }]],
  });
  for (const text of ['password=x', '', ' ', '{pass: 1}', 'the token {"a":1}', '5', '"token"']) {
    t.equal(masked(text), text);
  }
});

t.test('what holds no secret is as it was', async (t) => {
  const request = { a: [1, { b: 'x' }], c: '{ "d" : 1 }' };
  const raw = { request, response: '[ 1 ]', user: { token: 'x' } };
  t.equal(maskTrace(raw), raw);
  t.equal(masked(request), request);
  const other = { request: { pass: 'x' }, response: request, token: 'y' };
  t.same(maskTrace(other), { request: { pass: '***' }, response: request, token: 'y' });
  t.same(other.request, { pass: 'x' }, 'nor is the trace changed');
});

t.test('within JSON text', async (t) => {
  t.equal(masked(' {"pass" : "x", "a": [1]}\n'), '{"pass":"***","a":[1]}');
  t.equal(masked('\ufeff[{"token":7}]'), '[{"token":"***"}]');
  t.equal(masked('{"\\u0070ass":"x"}'), '{"pass":"***"}');
  t.equal(masked(JSON.stringify(JSON.stringify({ pass: 'x' }))), JSON.stringify('{"pass":"***"}'));
  t.same(masked({ body: '{"pass":"x"}' }), { body: '{"pass":"***"}' });
  let text = '{"pass":"x"}';
  for (let level = 0; level < 12; level++) text = JSON.stringify({ body: text });
  t.notMatch(masked(text), /"x/, 'and within text within text');
  t.match(masked(text), '***');
});

t.test('names that mean something to JavaScript', async (t) => {
  const raw = JSON.parse(
    '{"__proto__":{"pass":"x"},"request":{"__proto__":{"pass":"x"},"constructor":{"token":1}}}',
  ) as JsonObject;
  t.equal(
    jsonText(maskTrace(raw)),
    '{"__proto__":{"pass":"x"},"request":{"__proto__":{"pass":"***"},"constructor":{"token":"***"}}}',
  );
});

t.test('depth and length do no harm', async (t) => {
  const deep = `${'[{"a":'.repeat(30_000)}{"pass":"hush"}${'}]'.repeat(30_000)}`;
  t.notMatch(jsonText(masked(JSON.parse(deep))), /hush/);
  t.notMatch(masked(deep), /hush/);
  const long = 'x'.repeat(2 * 1024 * 1024);
  t.same(masked({ a: long, pass: long }), { a: long, pass: '***' });
  t.equal(masked(`{"a":"${long}","pass":"${long}"}`), `{"a":"${long}","pass":"***"}`);
  t.equal(masked('{'.repeat(2 * 1024 * 1024)), '{'.repeat(2 * 1024 * 1024));
});

t.test('no secret is left', async () => {
  const secret = fc.constantFrom('hush-1', 'hush-2');
  const plain = fc.oneof(fc.constantFrom('x', '', '{', '\\u'), fc.integer(), fc.constant(null));
  const name = fc.constantFrom('adminPass', 'TOKEN', 'secret_key', '__proto__', 'a', 'b');
  const { value } = fc.letrec<{ value: unknown; object: object; text: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      plain,
      tie('object'),
      tie('text'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    object: fc
      .tuple(fc.dictionary(name, tie('value'), { maxKeys: 3 }), fc.option(secret))
      .map(([members, hidden]) => ({ ...members, ...(hidden !== null && { accessToken: hidden, passes: [hidden] }) })),
    text: tie('value').map((inner) => JSON.stringify(inner)),
  }));
  fc.assert(
    fc.property(value, value, (request, response) => {
      const raw = { trace_id: 'a', request, response };
      const before = JSON.stringify(raw);
      const found = JSON.stringify(maskTrace(raw));
      if (found.includes('hush')) throw new Error(found);
      if (JSON.stringify(raw) !== before) throw new Error('the trace was changed');
      if (!before.includes('hush') && !/pass|secret|token/i.test(before) && found !== before) throw new Error(found);
    }),
    { numRuns: 2_000 },
  );
});

t.test('JSON text that was cut off keeps no secret either', async (t) => {
  const masked = (request: string) => maskTrace({ request }).request;
  t.equal(masked('{"a":1,"password":"hush'), '{"a":1,"password":"***"');
  t.equal(masked('{"adminPass" : "hush", "b": "c'), '{"adminPass" : "***", "b": "c');
  t.equal(masked('{"token":12345,"b":tr'), '{"token":"***","b":tr');
  t.equal(masked('{"token":true'), '{"token":"***"');
  t.equal(masked('{"tokens":["hush","hush","hu'), '{"tokens":["***","***","***"');
  t.equal(masked('{"tokens":{"a":"b","c":"d"'), '{"tokens":{"a":"b","c":"d"');
  t.equal(masked('{"body":"{\\"password\\":\\"hush'), '{"body":"***"');
  t.equal(masked('{"name":"x","pass\\u0077ord":"hush'), '{"name":"x","pass\\u0077ord":"***"');
  t.equal(masked('{"message":"the password was changed","b'), '{"message":"the password was changed","b');
});

t.test('cut off anywhere, no secret is left, and none takes long', async () => {
  const whole = JSON.stringify({
    a: [1, { password: 'hush-1', b: { secret: ['hush-2', 'hush-3'] } }],
    token: 'hush-4',
    z: 1,
  });
  for (let end = 1; end < whole.length; end++) {
    const found = String(maskTrace({ request: whole.slice(0, end) }).request);
    if (/hus?h?/.test(found.replace(/"h?u?$/, ''))) throw new Error(found);
  }
  maskTrace({ request: `{"token":${'"\\"'.repeat(500_000)}` });
  maskTrace({ request: `{"token":"${'\\"'.repeat(500_000)}` });
});
