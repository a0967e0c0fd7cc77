import { isLate } from './within.ts';

/**
 * What to do after an error of a transaction:
 * - `again`: the same once more, later: nobody has to do anything.
 * - `hold`: somebody has to put something right; `secret`: perhaps the password.
 * - `race`: somebody else wrote the same at once, or the graph holds what its constraints refuse: again at once.
 * - `split`: something in these rows is refused; try the halves.
 * - `smaller`: too much at once for the server: try the halves, but no single event is to blame.
 * - `unclear`: as `again`, unless it lasts.
 */
export interface Judgement {
  readonly kind: 'again' | 'hold' | 'race' | 'split' | 'smaller' | 'unclear';
  /** The password, or the user, was refused. */
  readonly isSecret: boolean;
  /** What the error says, in one line. */
  readonly text: string;
}

/** Judges what the driver threw, by the status codes of Neo4j; any other error is unclear. */
export function judgeError(error: unknown): Judgement {
  const code = codeOf(error);
  return { kind: kindOf(code, error), isSecret: SECRET.test(code), text: errorText(error) };
}

/** Status code of Neo4j or of its driver, or empty. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** What an error says, in one line, with its status code. */
export function errorText(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const said = message.replace(ADVICE, '').replace(TRUST_ADVICE, '').replace(/\s+/g, ' ').trim();
  return (code.startsWith('Neo.') ? `${code}: ${said}` : said).slice(0, 300).toWellFormed();
}

/** The driver says this of every failed connection, before what matters. */
const ADVICE =
  / Please ensure that your database is listening on the correct host and port and that you have compatible encryption settings both on Neo4j server and driver\. Note that the default encryption setting has changed in Neo4j 4\.0\./;

/** And this, of four lines, of a certificate. */
const TRUST_ADVICE = / If you trust the database you are connecting to, use TRUST_CUSTOM_CA_SIGNED_CERTIFICATES[\s\S]*/;

const SECRET = /^Neo\.ClientError\.Security\.(?:Unauthorized|AuthenticationRateLimit|CredentialsExpired|TokenExpired)$/;
const SETTING =
  /^Neo\.ClientError\.(?:Security|Database|Cluster)\.|^Neo\.ClientError\.General\.(?:[A-Za-z]*ReadOnly|DatabaseUnavailable)|^ProtocolError$/;
const LARGE = /OutOfMemory|^Neo\.ClientError\.Transaction\.(?:TransactionTimedOut|Terminated)|LockClientStopped/;

function kindOf(code: string, error: unknown): Judgement['kind'] {
  if (LARGE.test(code)) return 'smaller';
  const isRetryable = typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === true;
  if (isRetryable || isLate(error) || code.startsWith('Neo.TransientError.')) return 'again';
  if (SETTING.test(code)) return 'hold';
  if (code === 'Neo.ClientError.Schema.ConstraintValidationFailed') return 'race';
  return code.startsWith('Neo.ClientError.') ? 'split' : 'unclear';
}
