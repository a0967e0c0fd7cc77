import { createHmac, randomBytes } from 'node:crypto';

/** Whether a password belongs to a bcrypt hash; may say no unasked if too much is to be compared already. */
export type Compare = (password: string, hash: string) => Promise<boolean>;

/** Headers of successful logins that are remembered; beyond that, the one not seen for longest is forgotten. */
const MOST_REMEMBERED = 256;

/**
 * A function that says whether an `Authorization` header (RFC 7617) holds the name and password of one of `users`
 * (name → bcrypt hash). A header that was right before is recognised by a keyed digest without another comparison;
 * equal headers that arrive together are compared once. The hash for an unknown name is that of some user, always
 * the same one for a name, so that neither the time nor its spread over several costs tells who exists.
 */
export function basicAuth(
  users: ReadonlyMap<string, string>,
  compare: Compare,
): (header: string | undefined) => Promise<boolean> {
  const secret = randomBytes(32);
  const names = [...users.keys()];
  const good = new Set<string>();
  const running = new Map<string, Promise<boolean>>();

  function digest(text: string): Buffer {
    return createHmac('sha256', secret).update(text).digest();
  }

  async function check(header: string, id: string): Promise<boolean> {
    const login = parseLogin(header);
    if (login === null) return false;
    const known = users.has(login.name);
    const name = known ? login.name : names[digest(login.name).readUInt32LE() % names.length];
    const equal = await compare(login.password, users.get(name ?? '') ?? '');
    if (!known || !equal) return false;
    good.add(id);
    if (good.size > MOST_REMEMBERED) good.delete(good.keys().next().value ?? '');
    return true;
  }

  return async function authorize(header) {
    if (names.length === 0) return true;
    if (header === undefined) return false;
    const id = digest(header).toString('base64');
    if (good.delete(id)) {
      good.add(id);
      return true;
    }
    const current = running.get(id);
    if (current) return current;
    const outcome = check(header, id).finally(() => running.delete(id));
    running.set(id, outcome);
    return outcome;
  };
}

interface Login {
  readonly name: string;
  readonly password: string;
}

function parseLogin(header: string): Login | null {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return null;
  try {
    // Not lenient: two passwords that are not UTF-8 would otherwise become one with replacement characters.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
    const colon = text.indexOf(':');
    return colon === -1 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return null;
  }
}
