import { messageOf } from './tally.ts';

/** The message of a failed request, and what to do about it, in one line. */
export function explained(error: unknown): string {
  const message = messageOf(error);
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  return hint === undefined ? message : `${message}; ${hint}`;
}

/**
 * Whether Knative tells of a sink (`$K_SINK`) that no writer would use, by the names of the configured writers: a SinkBinding
 * alone does not send anything.
 */
export function isSinkUnused(writers: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.K_SINK) && !writers.some((name) => name.split('/', 1)[0] === 'cloudevents');
}

/** By what Node.js says, most of it codes of its own or of OpenSSL. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/ECONNREFUSED/, 'is the server running, and is the port of url right?'],
  [/ENOTFOUND|EAI_AGAIN/, 'is the host name of url right, and can this machine look it up?'],
  [/EHOSTUNREACH|ENETUNREACH|no answer within/, 'does a firewall or a wrong address keep the server away?'],
  [/WRONG_VERSION_NUMBER|wrong version number|packet length too long/i, 'the server speaks no TLS: set url to http://'],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|self.signed/i,
    'set ca to the file with the certificate of its authority',
  ],
  [/ALTNAME_INVALID|altnames/, 'set url to a name that its certificate has'],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'renew the certificate of the server, or set the clock of this machine'],
  [/ECONNRESET|socket hang up/, 'is url the right one, https:// instead of http:// perhaps?'],
];
