import * as z from 'zod';
import { described } from '../../core/fields.ts';
import { isAttributeName, isCoreName, NAME_WISH } from '../../lib/cloud-events/names.ts';
import { isObject, parseJson } from '../../lib/json-value.ts';

/** Extensions that are set in every event, by name. */
export type Overrides = ReadonlyMap<string, string>;

const WISH = 'wanted extensions by name, such as { cluster: north }, or { extensions: { cluster: north } }';

/** Either extensions, or what is wrong with them: the name at fault, if it is one, and a message. */
export type ParsedOverrides =
  | { readonly extensions: Overrides }
  | { readonly name: string | null; readonly problem: string };

/**
 * Extensions by name, or as Knative gives them: `{"extensions":{…}}`, as a map or as JSON text, or the empty text for none.
 * Values are text; numbers, and true and false, are taken as theirs.
 */
export function parseOverrides(value: unknown): ParsedOverrides {
  const told = typeof value === 'string' ? (value.trim() === '' ? {} : parseJson(value)) : (value ?? {});
  if (!isObject(told))
    return { name: null, problem: `found ${typeof value === 'string' ? 'no' : 'no map or'} JSON object, ${WISH}` };
  const isKnative = Object.hasOwn(told, 'extensions') && (isObject(told.extensions) || told.extensions === null);
  const [beside] = Object.keys(told).filter((name) => isKnative && name !== 'extensions');
  if (beside !== undefined) return { name: beside, problem: `found ${quoted(beside)} beside extensions, ${WISH}` };
  const named = isKnative ? (told.extensions ?? {}) : told;
  const extensions = new Map<string, string>();
  for (const [name, text] of Object.entries(named)) {
    if (!isAttributeName(name)) return { name, problem: `found the name ${quoted(name)}, ${NAME_WISH}` };
    if (!['string', 'number', 'boolean'].includes(typeof text)) {
      return { name, problem: `found ${text === null ? 'null' : `a ${typeof text}`} as ${name}, wanted text` };
    }
    extensions.set(name, String(text));
  }
  return { extensions };
}

/** Those that take effect, and the names that would replace what tells events apart. */
export function splitOverrides(all: Overrides): {
  readonly extensions: Overrides;
  readonly ignored: readonly string[];
} {
  const [kept, ignored] = [new Map<string, string>(), [] as string[]];
  for (const [name, text] of all) {
    if (isCoreName(name)) ignored.push(name);
    else kept.set(name, text);
  }
  return { extensions: kept, ignored };
}

/** What a configuration may give as `overrides`. */
export type OverridesConfig = string | Readonly<Record<string, unknown>>;

/** `writers.cloudevents.overrides`. */
export function overridesField(): z.ZodType<OverridesConfig | null> {
  const schema = z.custom<OverridesConfig>((value) => typeof value === 'string' || isObject(value), { error: WISH });
  const checked = schema.superRefine((value, context) => {
    const parsed = parseOverrides(value);
    if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
  });
  return described(checked.nullable(), { kind: 'map' });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
