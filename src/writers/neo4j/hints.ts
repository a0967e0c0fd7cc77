/** What an error says (`errorText`), and what to do about it, in one line. */
export function hinted(text: string): string {
  const hint = HINTS.find(([pattern]) => pattern.test(text))?.[1];
  return hint === undefined ? text : `${text}; ${hint}`;
}

/** By status codes of Neo4j, by what its driver says, and by what Node.js says. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/AuthenticationRateLimit/, 'too many wrong passwords: set user and password right, and wait a while'],
  [/CredentialsExpired/, 'sign in once with another program, such as cypher-shell, and change the first password'],
  [/Security\.Unauthorized/, 'set user and password right; where both are left out nobody signs in'],
  [/DatabaseNotFound|Database does not exist/, 'create the database, or set database to one that is there'],
  [
    /ReadOnly|NotALeader/,
    'this member or database may only be read: use an address with neo4j://, which finds the one that is written to',
  ],
  [
    /Security\.Forbidden/,
    'the user may not do this: grant it the role editor, or publisher and the right to make constraints',
  ],
  [/ECONNREFUSED/, 'is the server running, and is the port of uri right? Bolt is mostly at 7687'],
  [/ENOTFOUND|EAI_AGAIN/, 'is the host name of uri right, and can this machine look it up?'],
  [/EHOSTUNREACH|ENETUNREACH|no answer within|timed out/i, 'does a firewall or a wrong address keep the server away?'],
  [
    /before secure TLS connection|WRONG_VERSION_NUMBER|wrong version number|packet length too long/i,
    'the server speaks no TLS: leave +s out of uri, and ca',
  ],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|self.signed|unable to (?:verify|get)|certificate is not trusted/i,
    'set ca to the file with the certificate of its authority, or use +ssc in uri',
  ],
  [/ALTNAME_INVALID|altnames/, 'set uri to a name that its certificate has'],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate has expired/,
    'renew the certificate of the server, or set the clock',
  ],
  [
    /closed by server|ECONNRESET|socket hang up|HTTP/i,
    'does the server want TLS (+s in uri), or is this not its Bolt port?',
  ],
  [
    /No routing servers available|Could not perform discovery/,
    'the server names other addresses than this machine can reach: use bolt:// instead of neo4j://',
  ],
];
