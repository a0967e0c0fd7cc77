import t from 'tap';
import { altNames, plainAddress } from '../../../src/server/web-config/alt-names.ts';

t.test('names of a certificate', async (t) => {
  const cases: readonly (readonly [string | undefined, readonly string[]])[] = [
    [undefined, []],
    ['', []],
    ['DNS:a.example', ['a.example']],
    ['DNS:a.example, DNS:b.example', ['a.example', 'b.example']],
    ['IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1', ['192.0.2.1', '2001:db8::1']],
    ['email:a@b.example, URI:spiffe://a/b, URI:x:y', ['a@b.example', 'spiffe://a/b', 'x:y']],
    ['othername:<unsupported>, DNS:a, DirName:CN = x, Registered ID:1.2.3.4', ['a']],
    ['DNS:"evil.example, DNS:good.example"', ['evil.example, DNS:good.example']],
    ['URI:"a\\", DNS:good.example", DNS:b', ['a", DNS:good.example', 'b']],
    ['DNS:"a\\u0000b"', ['a\0b']],
    ['DNS:"open', []],
    ['DNS:"a"b, DNS:good.example', []],
    ['no type', []],
    ['IP Address:<invalid>', ['<invalid>']],
  ];
  for (const [text, names] of cases) t.same(altNames(text), names, String(text));
});

t.test('the shortest form of an address', async (t) => {
  t.equal(plainAddress('2001:0DB8::0001'), '2001:db8::1');
  t.equal(plainAddress('::1'), '::1');
  t.equal(plainAddress('127.0.0.1'), '127.0.0.1');
  t.equal(plainAddress('fe80::1%eth0'), 'fe80::1%eth0');
  t.equal(plainAddress('A.example'), 'A.example');
});
