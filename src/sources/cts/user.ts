import { isObject, type JsonObject, parseJson } from '../../lib/json-value.ts';
import { type Field, firstField, readField, textOf } from './text.ts';

/** Who acted; null for what is absent, and never all of them. */
export interface User {
  readonly name: string | null;
  readonly id: string | null;
  /** Id of the domain. */
  readonly domain: string | null;
  /** Who acts behind the user, by an agency. */
  readonly via: string | null;
}

/** A user, and its field for the label, which is its name or else its id. */
export interface ReadUser {
  readonly user: User | null;
  readonly label: Field;
}

/**
 * Reads `user`: an object, JSON text of one, or a plain text, which is the name. All else is absent.
 */
export function readUser(value: unknown): ReadUser {
  if (value === null || value === undefined) return NOBODY;
  const object = objectOf(value);
  if (!object) {
    const name = textOf(readField(value));
    return name === null || name.startsWith('{')
      ? NOBODY
      : { user: { name, id: null, domain: null, via: null }, label: name };
  }
  const nameField = firstField(object.name, object.user_name);
  const idField = firstField(object.id, object.principal_id);
  const name = textOf(nameField);
  const id = textOf(idField);
  const domain = textOf(readField(objectOf(object.domain)?.id)) ?? textOf(readField(object.account_id));
  const via = viaOf(object);
  const isNobody = name === null && id === null && domain === null && via === null;
  return { user: isNobody ? null : { name, id, domain, via }, label: nameField ?? idField };
}

const NOBODY: ReadUser = { user: null, label: null };

/** One level: who stands behind that one is not told. */
function viaOf(object: JsonObject): string | null {
  const behind = objectOf(object.assumedBy)?.user;
  const one = objectOf(behind);
  if (!one) {
    const text = textOf(readField(behind));
    return text?.startsWith('{') ? null : text;
  }
  return textOf(firstField(one.name, one.user_name)) ?? textOf(firstField(one.id, one.principal_id));
}

/** An object, also one that is written as JSON text. */
function objectOf(value: unknown): JsonObject | null {
  if (isObject(value)) return value;
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (!text.startsWith('{')) return null;
  const parsed = parseJson(text);
  return isObject(parsed) ? parsed : null;
}
