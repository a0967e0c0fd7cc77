/** Client authentication policies, https://pkg.go.dev/crypto/tls#ClientAuthType; the last two are one and the same. */
export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
  'RequireAnyClientCert',
  'RequireClientCert',
] as const;

export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];

/** TLS 1.0 and 1.1, deprecated by RFC 8996, are in the format too; OpenSSL 3 no longer serves them by default. */
export const TLS_VERSIONS = ['TLS12', 'TLS13'] as const;

export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** OpenSSL's names of Go's curves. */
export const CURVES: ReadonlyMap<string, string> = new Map([
  ['CurveP256', 'P-256'],
  ['CurveP384', 'P-384'],
  ['CurveP521', 'P-521'],
  ['X25519', 'X25519'],
]);

/** OpenSSL's names of the suites that Go's `tls.CipherSuites()` returns, https://pkg.go.dev/crypto/tls#CipherSuites. */
export const CIPHER_SUITES: ReadonlyMap<string, string> = new Map([
  ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ECDHE-ECDSA-AES128-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
]);

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/**
 * Milliseconds of a duration in Go's notation (https://pkg.go.dev/time#ParseDuration) without a sign: `0`, `1s`,
 * `1m30s`, `1.5h`. Null if the text is none.
 */
export function goDurationMs(text: string): number | null {
  if (text === '0') return 0;
  if (text.length > 64) return null;
  const part = /([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  do {
    const found = part.exec(text);
    if (!found) return null;
    total += Number(found[1]) * (UNITS.get(found[2] ?? '') ?? Number.NaN);
  } while (part.lastIndex < text.length);
  return Number.isFinite(total) ? total : null;
}
