import t from 'tap';
import { writeRequest } from '../../../src/writers/influx/request.ts';

t.test('version 2, with a token', async (t) => {
  const target = { url: 'https://influx.example.org/prefix/', org: 'a b', bucket: 'c&d' };
  const { method, url, headers, body } = writeRequest(target, { token: 't' }, ['m a=1i 1', 'm a=2i 2']);
  t.equal(method, 'POST');
  t.equal(String(url), 'https://influx.example.org/prefix/api/v2/write?org=a+b&bucket=c%26d&precision=ns');
  t.equal(headers?.authorization, 'Token t');
  t.equal(body, 'm a=1i 1\nm a=2i 2\n');
});

t.test('version 1, with user and password, or neither', async (t) => {
  const target = { url: 'http://localhost:8086', database: 'd' };
  const { url, headers } = writeRequest(target, { username: 'kim', password: 'p:ß' }, []);
  t.equal(String(url), 'http://localhost:8086/write?db=d&precision=ns');
  t.equal(Buffer.from(headers?.authorization?.slice(6) ?? '', 'base64').toString(), 'kim:p:ß');
  t.notOk(writeRequest(target, {}, []).headers?.authorization);
});
