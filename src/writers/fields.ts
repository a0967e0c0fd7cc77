import * as z from 'zod';
import type { Fault } from '../core/config.ts';
import { described, fieldMeta, type Secret, secret, text } from '../core/fields.ts';

/** What an address has to be, and what it must not end in. */
export interface AddressOptions {
  /** What stands in messages as an example. */
  readonly example: string;
  /** The end point that is added to the address, if any is. */
  readonly endpoint?: string;
  /** Whether `host:9200` means `http://host:9200`. */
  readonly bare?: boolean;
}

/** The address of a server, without user and password, as it is shown; or null. */
export function address(options: AddressOptions): z.ZodType<string | null> {
  const schema = z.string({ error: `wanted an address such as ${options.example}` }).superRefine((value, context) => {
    const message = addressProblem(value, options);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
  return described(schema.nullable(), { kind: 'URL' });
}

/** What is wrong with an address, or null. The message holds no password. */
export function addressProblem(value: string, { example, endpoint, bare = false }: AddressOptions): string | null {
  const wish = `wanted an address such as ${example}`;
  const url = parseAddress(value, bare);
  if (!url) return /@/.test(value) ? `found an address that cannot be read, ${wish}` : wish;
  if (url.username !== '' || url.password !== '') {
    return 'found user or password in the address, wanted them as username and password';
  }
  if (endpoint !== undefined && url.pathname.endsWith(endpoint))
    return `found the end point ${endpoint}, wanted the address before it`;
  return null;
}

/** What a look at a section throws, as a fault of it; null for nothing. */
export function thrownFault(look: () => unknown): Fault | null {
  try {
    look();
    return null;
  } catch (error) {
    return [[], error instanceof Error ? error.message : String(error)];
  }
}

/** A schema of `core/fields` that also takes null. */
export function nullable<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return described(schema.nullable(), fieldMeta(schema) ?? {});
}

/** Text, or null. */
export function maybeText(): z.ZodType<string | null> {
  return nullable(text());
}

/** A secret, or null. */
export function maybeSecret(): z.ZodType<Secret | null> {
  return nullable(secret());
}

/**
 * A section with rules about several of its fields. A rule gives the field at fault and a message that begins with
 * `found`, or null.
 */
export function ruled<T>(section: z.ZodType<T>, ...rules: readonly Rule<T>[]): z.ZodType<T> {
  const checked = section.superRefine((value, context) => {
    for (const rule of rules) {
      const [field, message] = rule(value) ?? [];
      if (field !== undefined && message !== undefined) context.addIssue({ code: 'custom', path: [field], message });
    }
  });
  return described(checked, fieldMeta(section) ?? {});
}

/** A rule of `ruled`. */
export type Rule<T> = (value: T) => readonly [field: string, message: string] | null;

function parseAddress(value: string, bare: boolean): URL | null {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
  const whole = bare && !hasScheme ? `http://${value}` : value;
  if (/\s/.test(value) || !URL.canParse(whole)) return null;
  const url = new URL(whole);
  return ['http:', 'https:'].includes(url.protocol) && url.hostname !== '' ? url : null;
}
