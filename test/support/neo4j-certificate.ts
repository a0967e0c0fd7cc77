import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './services.ts';

/** Makes a certificate for this host, under the names that Neo4j wants, in its folder; gives its file. */
export function certificate(folder: string): string {
  const place = join(folder, 'certificates');
  mkdirSync(place);
  const [key, cert] = [join(place, 'private.key'), join(place, 'public.crt')];
  const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=neo4j', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(program('openssl') ?? 'openssl', ['req', ...kind, ...name, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return cert;
}
