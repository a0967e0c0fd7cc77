import fc from 'fast-check';
import t from 'tap';
import type { Data } from '../../../src/core/event.ts';
import { eventId, toEvent } from '../../../src/sources/s3-audit/event.ts';
import type { Fields } from '../../../src/sources/s3-audit/fields.ts';
import { MASK, maskedRecord, maskedText } from '../../../src/sources/s3-audit/mask.ts';
import { recordOf } from './counted.ts';

const PLACE = { source: 's3-audit', arrival: Date.UTC(2024, 1, 1) };
const HIDDEN = 'c2VjcmV0/+=';

function rawOf(line: string): Data | undefined {
  return toEvent({ record: recordOf(line), ...PLACE }).data.raw;
}

const ENTRY = {
  api: { name: 'GetObject', bucket: 'b', object: 'Signature=x', statusCode: 200 },
  requestID: 'R',
  time: '2024-01-15T09:05:11Z',
  requestQuery: {
    'X-Amz-Signature': HIDDEN,
    'x-amz-security-token': HIDDEN,
    signature: '',
    WebIdentityToken: HIDDEN,
    Token: HIDDEN,
    LDAPPassword: HIDDEN,
    'continuation-token': 'a page',
    'X-Amz-Credential': 'key/20240115/us-east-1/s3/aws4_request',
    'X-Amz-Expires': '60',
    prefix: 'a?b',
  },
  requestHeader: {
    AUTHORIZATION: HIDDEN,
    Cookie: [HIDDEN],
    'X-Amz-Server-Side-Encryption-Customer-Key': HIDDEN,
    'X-Amz-Server-Side-Encryption-Customer-Key-Md5': 'of the key',
    'X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key': HIDDEN,
    'User-Agent': 'demo/1 Signature=5',
    Referer: `https://s3.example.org/b/k?X-Amz-Expires=60&X-Amz-Signature=${HIDDEN}#top`,
  },
  responseHeader: { Cookie: HIDDEN, ETag: '"x"' },
};
const MASKED = {
  ...ENTRY,
  requestQuery: {
    ...ENTRY.requestQuery,
    ...{ 'X-Amz-Signature': MASK, 'x-amz-security-token': MASK, signature: MASK },
    ...{ WebIdentityToken: MASK, Token: MASK, LDAPPassword: MASK },
  },
  requestHeader: {
    ...ENTRY.requestHeader,
    ...{ AUTHORIZATION: MASK, Cookie: MASK },
    'X-Amz-Server-Side-Encryption-Customer-Key': MASK,
    'X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key': MASK,
    Referer: `https://s3.example.org/b/k?X-Amz-Expires=60&X-Amz-Signature=${MASK}#top`,
  },
  responseHeader: { Cookie: MASK, ETag: '"x"' },
};

t.test('maps of queries and headers', async (t) => {
  t.same(rawOf(JSON.stringify(ENTRY)), MASKED);
  t.same(rawOf(JSON.stringify({ auditEntry: ENTRY, serviceAccountName: 's' })), {
    auditEntry: MASKED,
    serviceAccountName: 's',
  });
  const record = recordOf(JSON.stringify(ENTRY));
  const before = JSON.stringify(record.raw);
  toEvent({ record, ...PLACE });
  t.equal(JSON.stringify(record.raw), before, 'the record itself stays');
  t.same(
    Object.keys(maskedRecord(ENTRY as Fields).requestQuery as object),
    Object.keys(ENTRY.requestQuery),
    'in the same order',
  );
});

t.test('what has no such maps stays as it is', async (t) => {
  for (const line of [
    '{"api":{"name":"A"},"requestQuery":null,"requestHeader":"Cookie","tags":{"Authorization":"x"}}',
    '{"ConsoleEvent":{"Eventname":"e"},"Signature":"mine"}',
    '{"api":{"name":"A"},"requestHeader":{"__proto__":"x","constructor":"y","a":"1?b=2&c"}}',
  ]) {
    t.equal(JSON.stringify(rawOf(line)), line);
  }
  t.equal(
    JSON.stringify(rawOf('{"api":{"name":"A"},"requestHeader":{"__proto__":"x","cookie":"y"}}')),
    `{"api":{"name":"A"},"requestHeader":{"__proto__":"x","cookie":"${MASK}"}}`,
  );
});

t.test('URIs of lines', async (t) => {
  const lineOf = (uri: string) =>
    `o b [06/Feb/2023:00:00:38 +0000] - - ID OP Signature=k "${uri}" 200 - 1 1 1 1 "-" "a" -`;
  const cases: readonly (readonly [uri: string, masked: string])[] = [
    ['GET /b/k HTTP/1.1', 'GET /b/k HTTP/1.1'],
    [
      `GET /b/k?X-Amz-Signature=${HIDDEN}&X-Amz-Date=5 HTTP/1.1`,
      `GET /b/k?X-Amz-Signature=${MASK}&X-Amz-Date=5 HTTP/1.1`,
    ],
    [
      `GET /b/k?AWSAccessKeyId=a&SIGNATURE=${HIDDEN}&Expires=1&x-amz-security-TOKEN=${HIDDEN} HTTP/1.1`,
      `GET /b/k?AWSAccessKeyId=a&SIGNATURE=${MASK}&Expires=1&x-amz-security-TOKEN=${MASK} HTTP/1.1`,
    ],
    ['GET /b/k?signature=&a=1 HTTP/1.1', 'GET /b/k?signature=&a=1 HTTP/1.1'],
    [
      'GET /b/k?Signatures=1&a=Signature=2&Signature HTTP/1.1',
      'GET /b/k?Signatures=1&a=Signature=2&Signature HTTP/1.1',
    ],
    ['GET /b/k?a&&?Cookie=1?Cookie=2 HTTP/1.1', `GET /b/k?a&&?Cookie=${MASK}?Cookie=${MASK} HTTP/1.1`],
  ];
  for (const [uri, masked] of cases) {
    t.equal(rawOf(lineOf(uri)), lineOf(masked), uri);
    t.equal(
      eventId(recordOf(lineOf(uri))) === eventId(recordOf(lineOf(masked))),
      uri === masked,
      'ids are of the text',
    );
  }
  const referrer = lineOf('GET /b/k HTTP/1.1').replace('"-"', '"https://h/?X-Amz-Signature=a"');
  t.equal(rawOf(referrer), referrer.replace('=a"', `=${MASK}"`));
  t.same(rawOf('{"operation":"get_obj","http_status":"200","uri":"GET /b?Signature=a&c=1 HTTP/1.1"}'), {
    ...{ operation: 'get_obj', http_status: '200' },
    uri: `GET /b?Signature=${MASK}&c=1 HTTP/1.1`,
  });
});

t.test('JSON that is nested too deep', async (t) => {
  const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
  const lineOf = (rest: string) => `{"api":{"name":"A"},"tags":${deep},${rest}}`;
  const cases: readonly (readonly [rest: string, masked: string])[] = [
    ['"requestHeader":{"a":"Cookie","b":"c"}', '"requestHeader":{"a":"Cookie","b":"c"}'],
    [`"requestHeader":{"Cookie" : "${HIDDEN}\\"x","b":1}`, `"requestHeader":{"Cookie" : "${MASK}","b":1}`],
    [`"requestHeader":{"cookie":["${HIDDEN}",["]}"]],"b":1}`, `"requestHeader":{"cookie":"${MASK}","b":1}`],
    ['"requestHeader":{"\\u0043ookie":null,"b":1}', `"requestHeader":{"\\u0043ookie":"${MASK}","b":1}`],
    [`"q":"/k?a=1\\u0026X-Amz-Signature=${HIDDEN}\\u0026b=1"`, `"q":"/k?a=1\\u0026X-Amz-Signature=${MASK}\\u0026b=1"`],
    ['"Authorization":{"x":"}"}', `"Authorization":"${MASK}"`],
  ];
  for (const [rest, masked] of cases) t.equal(rawOf(lineOf(rest)), lineOf(masked), rest);
});

t.test('any text: it ends, in time, and nothing hidden is left', async (t) => {
  const piece = fc.constantFrom(
    '?',
    '&',
    '=',
    '"',
    '\\',
    'Cookie',
    'signature=',
    ' ',
    ':',
    '{',
    '[',
    '}',
    ']',
    ',',
    '\\u0026',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      const once = maskedText(text);
      // What is masked is masked for good, and text without these names stays.
      return /cookie|signature/i.test(text) || once === text;
    }),
    { numRuns: 2_000 },
  );
  for (const unit of ['?Cookie=', '&Cookie', '?signature=a', '"Cookie":', '"Cookie":[', '\\', '"\\']) {
    for (const head of ['', '{']) {
      // Where it looks at all of it for each piece of it, this does not end in time.
      const text = head + unit.repeat(1_000_000 / unit.length);
      t.ok(maskedText(text).length > 0, JSON.stringify(head + unit));
    }
  }
});
