/** What a name of an attribute looks like, for error messages. */
export const NAME_WISH = 'wanted 1 to 20 lower-case letters and digits';

/** Whether an attribute may have this name. */
export function isAttributeName(name: string): boolean {
  return /^[a-z0-9]{1,20}$/.test(name);
}

/** The attributes that every event has. */
export const REQUIRED: readonly string[] = ['specversion', 'id', 'source', 'type'];

/** Whether this is an attribute of the specification, or the data: what no extension may be called. */
export function isCoreName(name: string): boolean {
  return CORE.has(name);
}

const CORE: ReadonlySet<string> = new Set([...REQUIRED, 'subject', 'time', 'datacontenttype', 'dataschema', 'data']);
