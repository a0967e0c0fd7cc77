import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { altNames, plainAddress } from './alt-names.ts';
import type { Pem, TlsSettings, WebSettings } from './settings.ts';

/** What a TLS server needs: material that may be renewed while it runs, and what it asks of its clients. */
export interface TlsState {
  readonly secure: SecureContextOptions;
  readonly clientAuth: TlsSettings['clientAuth'];
  /** Whether a connection may go on, once its handshake is done. */
  admits(socket: TLSSocket): boolean;
}

/**
 * Reads and tries the certificates and keys of `settings`; `read` gives the text of a file, or throws an `Error` that
 * names it. Throws an `Error` with a line for each file and key that cannot be used; none holds a key.
 */
export function tlsState(settings: WebSettings, tls: TlsSettings, read: (file: string) => string): TlsState {
  function load(pem: Pem): string {
    if (pem.file === null) return pem.text ?? '';
    try {
      return read(pem.file);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : 'cannot be read';
      throw new Error(settings.problem(['tls_server_config', pem.from], text), { cause });
    }
  }

  const problems: string[] = [];
  function tried(get: () => string): string | null {
    try {
      return get();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  const { clientCa } = tls;
  const [cert, key] = [tried(() => load(tls.cert)), tried(() => load(tls.key))];
  const ca = clientCa && tried(() => authorities(settings, clientCa, load(clientCa)));
  const secure: SecureContextOptions = {
    cert: cert ?? '',
    key: key ?? '',
    ...(ca !== null && { ca }),
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ...(tls.ciphers && { ciphers: tls.ciphers }),
    ...(tls.curves && { ecdhCurve: tls.curves }),
    honorCipherOrder: tls.serverPrefers,
    // A client could otherwise show another certificate later, after it was let in.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
  try {
    // Without one of them it would only say that again.
    if (cert !== null && key !== null) createSecureContext(secure);
  } catch (cause) {
    const names = `${tls.cert.file ?? 'cert'} with ${tls.key.file ?? 'key'}`;
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    problems.push(settings.problem(['tls_server_config', tls.cert.from], `cannot use ${names}${why}`));
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const allowed = tls.allowedNames && new Set(tls.allowedNames.map(plainAddress));
  return { secure, clientAuth: tls.clientAuth, admits: (socket) => admits(socket, tls.clientAuth, allowed) };
}

/** OpenSSL takes a text without any certificate for an empty list, and then trusts nobody. */
function authorities(settings: WebSettings, pem: Pem, text: string): string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('no certificate in it');
    for (const block of blocks) new X509Certificate(block);
    return text;
  } catch (cause) {
    const place = ['tls_server_config', pem.from];
    const why = cause instanceof Error ? cause.message : '';
    throw new Error(settings.problem(place, `cannot use ${pem.file ?? pem.from}: ${why}`), { cause });
  }
}

function admits(socket: TLSSocket, policy: TlsSettings['clientAuth'], allowed: ReadonlySet<string> | null): boolean {
  if (policy === 'NoClientCert' || policy === 'RequestClientCert') return true;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return policy === 'VerifyClientCertIfGiven';
  if (policy !== 'RequireAnyClientCert' && !socket.authorized) return false;
  return allowed === null || altNames(certificate.subjectAltName).some((name) => allowed.has(name));
}
