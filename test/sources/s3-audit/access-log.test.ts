import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { hasUnit, readAccessLine } from '../../../src/sources/s3-audit/access-log.ts';
import { fixture } from '../../support/paths.ts';
import { linesOf, recordOf, refusalOf, rowsOf } from './counted.ts';

const HEAD = 'owner pics [06/Feb/2026:00:00:38 +0000] 192.0.2.7 - ID REST.GET.OBJECT a/b.jpg';
const URI = '"GET /pics/a HTTP/1.1"';

t.test('lines of AWS', async (t) => {
  const lines = linesOf(readFileSync(fixture('object-logs/access-log/aws.log'), 'utf8'));
  const seen = new Set<string>();
  for (const [number = '', outcome = ''] of rowsOf('access-log/aws.outcomes.tsv')) {
    const line = lines[Number(number) - 1] ?? '';
    if (outcome.startsWith('rejected')) {
      t.equal(`rejected ${refusalOf(line)}`, outcome, number);
      continue;
    }
    const found = recordOf(line);
    t.equal(found.form, 'aws-line');
    t.equal(outcome === 'duplicate', seen.has(line), number);
    seen.add(line);
    if (outcome === 'background')
      t.match(found, { kind: 'background', durationNs: null, responseBytes: null, code: '' });
    const [, code] = /^request ([0-9]{3})/.exec(outcome) ?? [];
    if (code) t.match(found, { kind: 'request', code }, number);
    const wanted = {
      seconds: /, ([0-9.]+) s/.exec(outcome)?.[1],
      first: /first byte ([0-9.]+)/.exec(outcome)?.[1],
      rx: /rx=([0-9]+)/.exec(outcome)?.[1],
      tx: /tx=([0-9]+)/.exec(outcome)?.[1],
    };
    if (wanted.seconds) t.equal(found.durationNs, Number(wanted.seconds) * 1e9);
    if (wanted.first) t.equal(found.ttfbNs, Number(wanted.first) * 1e9);
    if (wanted.rx) t.equal(found.requestBytes, Number(wanted.rx));
    if (wanted.tx) t.equal(found.responseBytes, Number(wanted.tx));
    if (outcome.includes('rx none')) t.equal(found.requestBytes, null);
    if (outcome.includes('no bytes')) t.match(found, { requestBytes: null, responseBytes: null });
    if (outcome.includes('no duration')) t.equal(found.durationNs, null);
  }
  t.ok(seen.size > 8);
});

t.test('lines of Ceph', async (t) => {
  const [put = '', get = '', journal = ''] = linesOf(
    readFileSync(fixture('object-logs/access-log/ceph-standard.log'), 'utf8'),
  );
  t.match(recordOf(put), {
    ...{ form: 'ceph-line', bucket: 't9:pics', durationNs: 91_000_000, ttfbNs: null },
    ...{ requestBytes: 7_340_032, responseBytes: null, timeMs: Date.UTC(2024, 1, 2, 3, 4, 5) },
  });
  t.match(recordOf(get), { form: 'ceph-line', code: '404', durationNs: 3_000_000, requestBytes: null });
  t.equal(refusalOf(journal), 'malformed');
});

t.test('all the fields, verbatim', async (t) => {
  t.same(readAccessLine(`${HEAD} "GET /pics/a?x="y" HTTP/1.1" 206 - 10 20 - 4 "r" "s"`), {
    ...{ owner: 'owner', bucket: 'pics', time: '06/Feb/2026:00:00:38 +0000', remote_ip: '192.0.2.7', requester: '-' },
    ...{ request_id: 'ID', operation: 'REST.GET.OBJECT', key: 'a/b.jpg', request_uri: 'GET /pics/a?x="y" HTTP/1.1' },
    ...{ http_status: '206', error_code: '-', bytes_sent: '10', object_size: '20', total_time: '-' },
    turn_around_time: '4',
  });
  t.match(readAccessLine(`${HEAD} - 204 - - - - -`), { request_uri: '-', http_status: '204' });
  t.match(readAccessLine(`${HEAD} "" 400 - - - - -`), { request_uri: '', http_status: '400' });
});

t.test('what is no line', async (t) => {
  const tails = [
    ...['', ' ', `${URI}`, `${URI} 200`, `${URI} 200 - 1 1 1`, `${URI} 200 - 1 1 1 `, `${URI} 200 - 1 1 1 x`],
    ...[`${URI} 2000 - 1 1 1 1`, `${URI} 20x - 1 1 1 1`, `${URI} 200  1 1 1 1`, `${URI} 200 - x 1 1 1`],
    ...[`${URI} 200 - 1 x 1 1`, `${URI} 200 - 1 1 5ms 1`, `${URI}  200 - 1 1 1 1`, `${URI}200 - 1 1 1 1`],
    ...['GET 200 - 1 1 1 1', '"GET 200 - 1 1 1 1', '-- 200 - 1 1 1 1', `${URI} 200 - -1 1 1 1`],
  ];
  for (const tail of tails) t.equal(readAccessLine(`${HEAD} ${tail}`), null, tail);
  const good = `${HEAD} ${URI} 200 - 1 1 1 1`;
  t.ok(readAccessLine(good));
  for (const line of [
    ...['', ' ', good.replace('owner ', ''), good.replace('[', ''), good.replace(']', ''), good.replace('pics', '')],
    good.replace('06/Feb', 'x'.repeat(100)),
  ]) {
    t.equal(readAccessLine(line), null, line);
  }
});

t.test('a time that is none leaves a request without time', async (t) => {
  t.match(recordOf(`${HEAD.replace('Feb', 'Fab')} ${URI} 200 - 1 1 1 1`), { kind: 'request', timeMs: null });
});

t.test('a unit tells Ceph from AWS', async (t) => {
  for (const [total, unit] of [
    ['-', false],
    ['5', false],
    ['5ms', true],
    ['1.5s', true],
    ['1m2s', true],
  ] as const) {
    const line = readAccessLine(`${HEAD} ${URI} 200 - 1 1 - ${total}`);
    t.equal(line && hasUnit(line), unit, total);
  }
});

t.test('quotes and blanks in URI, referrer and agent', async () => {
  const text = fc.stringMatching(/^[a-z0-9"/ -]{0,40}$/);
  const counts = fc.tuple(fc.constantFrom('200', '404', '-'), fc.nat(999), fc.nat(999), fc.nat(999), fc.nat(999));
  const fits = /" (?:[0-9]{3}|-) [^ ]+ (?:[0-9]+ |- ){3}(?:-|[0-9][0-9a-z.]*)(?: |$)/;
  fc.assert(
    fc.property(text, counts, text, text, (uri, [status, sent, size, total, first], referrer, agent) => {
      const rest = `"${uri}" ${status} - ${sent} ${size} ${total} ${first} "${referrer}" "${agent}" - x`;
      // Fields that a client writes into its URI cannot be told from those of the store.
      fc.pre(rest.search(fits) === uri.length + 1);
      const line = readAccessLine(`${HEAD} ${rest}`);
      return (
        line?.request_uri === uri &&
        line.http_status === status &&
        [sent, size, total, first].join() ===
          [line.bytes_sent, line.object_size, line.total_time, line.turn_around_time].join()
      );
    }),
  );
});

t.test('no text makes it throw, or take long', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9"[\] -]{0,80}$/)), (text) => {
      readAccessLine(text);
      readAccessLine(`${HEAD} ${text}`);
      return true;
    }),
  );
  for (const piece of ['" ', '" 200 ', '" 200 - ', '" 200 - 1 1 1 ', '" - - - - - ', '" 200 x', '[', '] ', ' ']) {
    const long = piece.repeat(Math.ceil(1_048_576 / piece.length));
    const begin = process.cpuUsage().user;
    t.equal(readAccessLine(`${HEAD} "${long}`), null, piece);
    readAccessLine(long);
    t.ok(process.cpuUsage().user - begin < 2_000_000, 'and is done in no time');
  }
});
