import * as z from 'zod';
import { DURATION_WISH, parseDuration } from '../lib/duration.ts';
import { parseSize, SIZE_WISH } from '../lib/size.ts';

/**
 * The kinds of values that configuration sections are made of.
 *
 * A valid value stays as it was written, so that a completed configuration reads like the user's own; who uses a
 * duration or a size turns it into milliseconds or bytes. Numbers and booleans may come as text, as they do from the
 * environment.
 */

/** What the documents need to know of a schema. */
export interface FieldMeta {
  /** What a value looks like. */
  readonly kind?: string;
  readonly secret?: boolean;
  /** For an option: what it is for, and its value where none, or null, is given. */
  readonly doc?: string;
  readonly default?: unknown;
  /** For a section: its options and sections by key. */
  readonly fields?: Readonly<Record<string, z.ZodType>>;
}

const metas = new WeakMap<z.ZodType, FieldMeta>();

/** What was noted of a schema when it was made, or undefined. */
export function fieldMeta(schema: z.ZodType): FieldMeta | undefined {
  return metas.get(schema);
}

/** An option with its default, which also stands for null, and one sentence on what it is for. */
export function option<T>(schema: z.ZodType<T>, fallback: NoInfer<T>, doc: string): z.ZodType<T> {
  const inner = fallback === null ? schema.nullable() : schema;
  // A default null makes the schema nullable, which T already says.
  const wrapped = z.preprocess((value) => value ?? fallback, inner) as unknown as z.ZodType<T>;
  return noted(wrapped, { ...metas.get(schema), doc, default: fallback });
}

/** A section: a map with these keys and no others; null or nothing stands for all of its defaults. */
export function section<S extends Readonly<Record<string, z.ZodType>>>(
  doc: string,
  fields: S,
): z.ZodType<{ readonly [K in keyof S]: z.output<S[K]> }> {
  const keys = Object.keys(fields).join(', ');
  const inner = z.strictObject(fields, {
    error: (issue) => (issue.code === 'invalid_type' ? `wanted a map with ${keys}` : undefined),
  });
  // zod infers the same fields, with optional marks that the defaults make needless.
  const wrapped = z.preprocess((value) => value ?? {}, inner) as unknown as z.ZodType<{
    [K in keyof S]: z.output<S[K]>;
  }>;
  return noted(wrapped, { doc, fields });
}

/** A schema of one's own making, with what the documents need to know of it. */
export function described<T>(schema: z.ZodType<T>, about: FieldMeta): z.ZodType<T> {
  return noted(schema, about);
}

/** `250ms`, `60s`, `5m`, `36h`, `7d`, or a number of seconds. */
export function duration(): z.ZodType<string | number> {
  const schema = z
    .union([z.string(), z.number()], { error: `wanted ${DURATION_WISH}` })
    .refine((value) => parseDuration(value) !== null, { error: `wanted ${DURATION_WISH}` });
  return noted(schema, { kind: 'duration' });
}

/** A duration that is longer than 0. */
export function period(): z.ZodType<string | number> {
  const schema = duration().refine((value) => parseDuration(value) !== 0, {
    error: `wanted ${DURATION_WISH}, above 0`,
  });
  return noted(schema, { kind: 'duration' });
}

/** `512KiB`, `64MiB`, or a number of bytes; above 0. */
export function size(): z.ZodType<string | number> {
  const error = `wanted ${SIZE_WISH}, above 0`;
  const schema = z.union([z.string(), z.number()], { error }).refine((value) => (parseSize(value) ?? 0) > 0, { error });
  return noted(schema, { kind: 'size' });
}

/** A whole number within bounds. */
export function integer(min: number, max: number): z.ZodType<number> {
  const wish = `wanted a whole number from ${min} to ${max}`;
  const schema = z.preprocess(
    (value) => (typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value),
    z.int({ error: wish }).min(min, { error: wish }).max(max, { error: wish }),
  );
  return noted(schema, { kind: 'integer' });
}

/** True or false. */
export function flag(): z.ZodType<boolean> {
  const words = new Map<unknown, boolean>([
    ['true', true],
    ['false', false],
  ]);
  const schema = z.preprocess((value) => words.get(value) ?? value, z.boolean({ error: 'wanted true or false' }));
  return noted(schema, { kind: 'boolean' });
}

/** Text that is not empty. */
export function text(): z.ZodType<string> {
  const wish = 'wanted text that is not empty';
  return noted(z.string({ error: wish }).min(1, { error: wish }), { kind: 'string' });
}

/** One of a few words. */
export function choice<const W extends readonly [string, ...string[]]>(...words: W): z.ZodType<W[number]> {
  const schema = z.enum(words, { error: `wanted one of ${words.join(', ')}` });
  return noted(schema, { kind: words.map((word) => `\`${word}\``).join(', ') });
}

/** Where a secret comes from: itself, or a file, an environment variable or a systemd credential that holds it. */
export type Secret = string | { readonly file: string } | { readonly env: string } | { readonly credential: string };

/** A secret: it is masked wherever the configuration is shown. */
export function secret(): z.ZodType<Secret> {
  const error = 'wanted a secret: text, { file: PATH }, { env: NAME } or { credential: NAME }';
  const schema = z.union([z.string().min(1, { error }), ...SECRET_PLACES], { error });
  return noted(schema, { kind: 'secret', secret: true });
}

/** What may be shown of a value, valid or not: a secret that is written out is masked; where one is kept is no secret. */
export function masked(schema: z.ZodType | undefined, value: unknown): unknown {
  const meta = schema && metas.get(schema);
  if (!meta || value === null || value === undefined) return value;
  if (meta.secret) return SECRET_PLACES.some((place) => place.safeParse(value).success) ? value : MASK;
  if (meta.kind === 'URL' && typeof value === 'string') return value.replace(SECRET_QUERY, `$1${MASK}`);
  if (!meta.fields) return value;
  const secretive = holdsSecret(meta);
  // Not a map: perhaps a secret that was written a level too high.
  if (typeof value !== 'object' || Array.isArray(value)) return secretive ? MASK : value;
  const fields = new Map(Object.entries(meta.fields));
  const shown = (key: string, inner: unknown) =>
    secretive && !fields.has(key) ? MASK : masked(fields.get(key), inner);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(key, inner)]));
}

/** A secret in the query of an address, such as the token of a sink. */
const SECRET_QUERY = /([?&][^=&#]*(?:token|key|secret|pass|sig)[^=&#]*=)[^&#]+/gi;

/** What stands in place of a secret. */
const MASK = '<secret>';

const SECRET_PLACES = [
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ credential: z.string().min(1) }),
] as const;

function holdsSecret({ secret: itself, fields = {} }: FieldMeta): boolean {
  return itself === true || Object.values(fields).some((field) => holdsSecret(metas.get(field) ?? {}));
}

function noted<S extends z.ZodType>(schema: S, meta: FieldMeta): S {
  metas.set(schema, meta);
  return schema;
}
