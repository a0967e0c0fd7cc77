import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  authorization,
  canonicalRequest,
  type Dialect,
  encoded,
  queryText,
  type SignedRequest,
  sdkDate,
  stringToSign,
} from '../../../../src/sources/cts/access/sign.ts';
import { fixture } from '../../../support/paths.ts';

interface Vector {
  readonly name: string;
  readonly dialect: string;
  readonly input: SignedRequest & { readonly ak: string; readonly sk: string };
  readonly canonical_request: string;
  readonly string_to_sign: string;
  readonly authorization: string;
}

const { vectors } = JSON.parse(readFileSync(fixture('cts/aksk/vectors.json'), 'utf8')) as { vectors: Vector[] };

t.test('known signatures', async (t) => {
  t.equal(vectors.length, 14);
  for (const { name, dialect: written, input, ...wanted } of vectors) {
    const dialect = written.toLowerCase() as Dialect;
    const found = {
      canonical_request: canonicalRequest(input),
      string_to_sign: stringToSign(dialect, input),
      authorization: authorization(dialect, input, input),
    };
    t.same(found, wanted, `${name}, ${dialect}`);
  }
});

t.test('a path that is encoded already', async (t) => {
  const request = { method: 'GET', query: [], headers: { 'X-Sdk-Date': '20260101T120000Z', host: 'x' }, body: '' };
  const path = (text: string) => canonicalRequest({ ...request, path: text }).split('\n')[1];
  t.equal(path('/v2.0/p/my%20tracker/trace'), '/v2.0/p/my%20tracker/trace/');
  t.equal(path('/v2.0/p/my tracker/trace'), '/v2.0/p/my%20tracker/trace/');
  t.equal(path('/a%2Fb/'), '/a%2Fb/');
  t.equal(path('/100%'), '/100%25/');
  t.equal(path('/'), '/');
});

t.test('small parts', async (t) => {
  t.equal(sdkDate(1_767_268_800_999), '20260101T120000Z');
  t.equal(encoded("Fä ~-_.!'()*+/"), 'F%C3%A4%20~-_.%21%27%28%29%2A%2B%2F');
  t.equal(encoded('\ud800'), '%EF%BF%BD');
  t.equal(
    queryText([
      ['b', '1 2'],
      ['a', ''],
    ]),
    'b=1%202&a=',
  );
  const blank = { method: 'GET', path: '/', query: [], headers: { A: '  x   y ', host: 'h' }, body: '' };
  t.match(canonicalRequest(blank), /\na:x y\nhost:h\n\na;host\n/);
});
