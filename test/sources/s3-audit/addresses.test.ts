import t from 'tap';
import { clientAddress, plainAddress } from '../../../src/sources/s3-audit/addresses.ts';
import { rowsOf } from './counted.ts';

t.test('the client of a request', async (t) => {
  for (const [forwarded = '', real = '', remote = '', client] of rowsOf('addresses.tsv')) {
    const headers = { ...(forwarded && { 'X-Forwarded-For': forwarded }), ...(real && { 'X-Real-Ip': real }) };
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const wanted = client === 'absent' ? null : client;
    t.equal(clientAddress(headers, remote || undefined), wanted, `${forwarded} | ${real} | ${remote}`);
    t.equal(clientAddress(lower, remote || undefined), wanted);
  }
});

t.test('headers that are none', async (t) => {
  for (const headers of [undefined, null, 'x', 5, [1], { 'X-Forwarded-For': 5, 'X-Real-Ip': ['192.0.2.1'] }]) {
    t.equal(clientAddress(headers, '192.0.2.9:80'), '192.0.2.9', JSON.stringify(headers));
  }
  t.equal(clientAddress(JSON.parse('{"__proto__":{"X-Real-Ip":"192.0.2.1"}}'), undefined), null);
});

t.test('an address without what stands around it', async (t) => {
  const cases: readonly (readonly [text: string, address: string | null])[] = [
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1:443 ', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[::ffff:192.0.2.4]:443', '192.0.2.4'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[2001:db8::1', null],
    ['[]', null],
    ['[', null],
    [':', null],
    ['192.0.2.1:80:90', null],
    ['192.0.2.256', null],
    [`${'1'.repeat(200)}`, null],
  ];
  for (const [text, address] of cases) t.equal(plainAddress(text), address, text);
  for (const value of [undefined, null, 5, {}, ['192.0.2.1']]) t.equal(plainAddress(value), null);
});
