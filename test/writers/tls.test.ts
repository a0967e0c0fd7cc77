import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { elasticsearch } from '../../src/writers/elasticsearch/index.ts';
import { influx } from '../../src/writers/influx/index.ts';
import { folder } from '../support/cli.ts';
import { need, program } from '../support/services.ts';
import { findingsOf, openWriter, writeAll } from '../support/writers.ts';

/** Key and certificate of a server that signed for itself, in files. */
function certificate(t: Test): { readonly key: string; readonly cert: string } {
  const place = folder(t);
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', cert];
  execFileSync(program('openssl') ?? 'openssl', args, { stdio: 'pipe' });
  return { key, cert };
}

async function portOf(t: Test, server: Server & { closeAllConnections(): void }): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

t.test('TLS is verified, and what is wrong with it is told with what to do', async (t) => {
  if (!need(t, 'openssl')) return;
  const { key, cert } = certificate(t);
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
    response.writeHead(204).end(),
  );
  const port = await portOf(t, server);
  const plain = await portOf(
    t,
    createServer((_, response) => response.writeHead(204).end()),
  );
  const url = `https://127.0.0.1:${port}`;
  t.match(await findingsOf(influx, { url, bucket: 'b', ca: cert }), [{ ok: true }]);
  const event = { id: 'a', time: 0, source: 'cts', action: 'x', outcome: 'ok', data: {} } as const;
  const writer = openWriter(t, influx, { url, bucket: 'b', ca: cert });
  t.same(await writeAll(writer, [event]), { kind: 'done', dead: [] });
  const untrusting = openWriter(t, influx, { url, bucket: 'b' });
  t.match(await writeAll(untrusting, [event]), { kind: 'later', settled: [], text: /self-signed certificate/ });
  for (const [wrong, detail] of [
    [url, /self-signed certificate.*; set ca to the file/],
    [`http://127.0.0.1:${port}`, /; is url the right one, https:\/\/ instead/],
    [`https://127.0.0.1:${plain}`, /; the server speaks no TLS: set url to http/],
    ['http://nowhere.invalid', /; is the host name of url right/],
  ] as const) {
    t.match(await findingsOf(influx, { url: wrong, bucket: 'b' }), [{ ok: false, detail }], wrong);
    t.match(await findingsOf(elasticsearch, { url: wrong }), [{ ok: false, detail }], wrong);
  }
  const foreign = await findingsOf(influx, { url: `https://localhost:${port}`, bucket: 'b', ca: cert });
  t.match(foreign, [{ ok: false, detail: /set url to a name that its certificate has|ECONNREFUSED/ }]);
});
