import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { cloudevents, cloudeventsIn } from '../../../src/writers/cloudevents/index.ts';
import { readAuthorities, readToken } from '../../../src/writers/cloudevents/mounted.ts';
import { file, folder } from '../../support/cli.ts';
import { certificate, fakeSink } from '../../support/fake-sink.ts';
import { need } from '../../support/services.ts';
import { findingsOf, openWriter, writeAll } from '../../support/writers.ts';

const EVENT: Event = { id: 'a', time: 0, source: 'reaction', action: 'match', outcome: 'ok', data: {} };

t.test('a sink with a certificate of its own', async (t) => {
  if (!need(t, 'openssl')) return;
  const tls = certificate(t);
  const pem = readFileSync(tls.cert, 'utf8');
  const sink = await fakeSink(t, { tls });
  const place = folder(t);
  const mounted = join(place, 'mounted');
  // As the kubelet does it.
  mkdirSync(join(mounted, '..data'), { recursive: true });
  file(join(mounted, '..data'), 'bundle.pem', pem);
  symlinkSync('..data/bundle.pem', join(mounted, 'bundle.pem'));
  file(mounted, 'empty.pem', '');
  file(mounted, 'other.txt', 'no certificate');
  const none = { certificates: join(place, 'none'), token: join(place, 'none') };
  for (const [name, spec, section, env] of [
    ['text in $K_CA_CERTS', cloudeventsIn(none), {}, { K_SINK: sink.url, K_CA_CERTS: pem }],
    ['a folder', cloudeventsIn({ ...none, certificates: mounted }), {}, { K_SINK: sink.url }],
    ['a file', cloudeventsIn(none), { ca: tls.cert, url: sink.url }, {}],
  ] as const) {
    t.same(await writeAll(openWriter(t, spec, section, { env }), [EVENT]), { kind: 'done', dead: [] }, name);
    t.match(await findingsOf(spec, section, { env }), [
      { ok: true, detail: /the server answers \(HTTP 202 to OPTIONS\)/ },
    ]);
  }
  const untrusting = openWriter(t, cloudeventsIn(none), { url: sink.url });
  t.match(await writeAll(untrusting, [EVENT]), {
    kind: 'later',
    hold: false,
    text: /self-signed certificate.*; set ca to/,
  });
  const wrong = openWriter(t, cloudeventsIn(none), {}, { env: { K_SINK: sink.url, K_CA_CERTS: tls.cert } });
  t.match(await writeAll(wrong, [EVENT]), {
    hold: true,
    text: /^\$K_CA_CERTS: found no certificate, wanted the text of/,
  });
});

t.test('a certificate that comes later is found', async (t) => {
  if (!need(t, 'openssl')) return;
  const tls = certificate(t);
  const sink = await fakeSink(t, { tls });
  const certificates = folder(t);
  const writer = openWriter(t, cloudeventsIn({ certificates, token: join(certificates, 'none') }), { url: sink.url });
  t.match(await writeAll(writer, [EVENT]), { kind: 'later' });
  file(certificates, 'new.pem', readFileSync(tls.cert, 'utf8'));
  t.same(await writeAll(writer, [EVENT]), { kind: 'done', dead: [] });
});

t.test('what cannot be read is told with its place', async (t) => {
  const place = folder(t);
  const places = { certificates: join(place, 'none'), token: join(place, 'token') };
  t.equal(await readAuthorities(null, places), null);
  t.equal(await readToken(places), null);
  await t.rejects(readAuthorities({ file: join(place, 'none') }, places), {
    message: /^ca: cannot read .*none: ENOENT/,
  });
  mkdirSync(places.token);
  await t.rejects(readToken(places), { message: /^token: cannot read .*token: EISDIR/ });
  const empty = { ...places, token: file(place, 'empty', '\n') };
  await t.rejects(readToken(empty), { message: /^token: found nothing in .*empty, wanted a token$/ });
});

t.test('doctor sends no event', async (t) => {
  const sink = await fakeSink(t, { say: () => 405 });
  t.match(await findingsOf(cloudevents, {}, { env: { K_SINK: sink.url } }), [
    { ok: true, detail: `${sink.url}: the server answers (HTTP 405 to OPTIONS); no event was sent` },
  ]);
  t.match(sink.requests, [{ method: 'OPTIONS', body: '', event: null }]);
  const moved = await fakeSink(t, { say: () => ({ status: 301, headers: { location: 'https://a.test/b' } }) });
  t.match(await findingsOf(cloudevents, { url: moved.url }), [
    { ok: false, detail: /HTTP 301 to https:\/\/a.test\/b: redirects/ },
  ]);
  await moved.close();
  for (const [section, detail] of [
    [{ url: moved.url }, /ECONNREFUSED.*; is the server running/],
    [{ url: 'http://nowhere.invalid/' }, /; is the host name of url right/],
    [{ url: sink.url.replace('http:', 'https:') }, /; the server speaks no TLS/],
    [{}, /^found neither url nor \$K_SINK/],
    [{ url: sink.url, ca: '/nowhere.pem' }, /^ca: cannot read \/nowhere.pem: ENOENT/],
  ] as const) {
    t.match(await findingsOf(cloudevents, section), [{ ok: false, detail }], JSON.stringify(section));
  }
});
