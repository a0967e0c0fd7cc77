import * as z from 'zod';
import { CIPHER_SUITES, CLIENT_AUTH_TYPES, CURVES, TLS_VERSIONS } from './names.ts';

/** As in Go, an empty value is an absent one. */
const text = z.preprocess((value) => (value === '' ? null : value), z.string().nullish());
const flag = z.boolean().nullish();
const texts = z.array(z.string()).nullish();

function oneOf<const Names extends readonly string[]>(names: Names) {
  return z.preprocess((value) => (value === '' ? null : value), z.enum(names).nullish());
}

const tlsServerConfig = z.strictObject({
  cert: text,
  cert_file: text,
  key: text,
  key_file: text,
  client_ca: text,
  client_ca_file: text,
  client_auth_type: oneOf(CLIENT_AUTH_TYPES),
  client_allowed_sans: texts,
  min_version: oneOf(TLS_VERSIONS),
  max_version: oneOf(TLS_VERSIONS),
  cipher_suites: z.array(z.enum([...CIPHER_SUITES.keys()])).nullish(),
  prefer_server_cipher_suites: flag,
  curve_preferences: z.array(z.enum([...CURVES.keys()])).nullish(),
});

const header = text.refine(
  (value) => value === null || value === undefined || /^[\t\x20-\x7e]*$/.test(value),
  'wanted printable ASCII text on one line',
);

/** The only ones that the format lets one set. */
const headers = z.strictObject({
  'Strict-Transport-Security': header,
  'X-Content-Type-Options': oneOf(['nosniff']),
  'X-Frame-Options': oneOf(['deny', 'sameorigin']),
  'X-XSS-Protection': header,
  'Content-Security-Policy': header,
});

/** The shape of a web configuration file; what belongs together in it is checked later. */
export const schema = z.strictObject({
  tls_server_config: tlsServerConfig.nullish(),
  // HTTP/2 is an offer that the client need not get: with `http2: true`, the default, HTTP/1.1 is served all the same.
  http_server_config: z.strictObject({ http2: flag, headers: headers.nullish() }).nullish(),
  // A record of zod would leave out a user called __proto__.
  basic_auth_users: z.unknown().optional(),
  rate_limit: z.strictObject({ interval: text, burst: text }).nullish(),
});

export type Raw = z.infer<typeof schema>;
