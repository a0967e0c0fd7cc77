import { type ConfigDocument, type ConfigError, type Path, pathText } from './config-file.ts';

/** A mistake with its place. */
export function errorAt(path: Path, document: ConfigDocument, message: string, key = false): ConfigError {
  const at = document.locate(path, key);
  return { path: pathText(path), line: at?.line ?? null, column: at?.column ?? null, message };
}

/** In the order of the file, and each once: two rules may find the same fault. */
export function ordered(errors: readonly ConfigError[]): readonly ConfigError[] {
  const sorted = errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return [...new Map(sorted.map((error) => [`${error.path}\n${error.message}`, error])).values()];
}

/** Whether the environment lacks something for a value or for what is in it: other mistakes may follow from that alone. */
export function isLacking(path: Path, { errors }: ConfigDocument): boolean {
  const whole = pathText(path);
  return errors.some(({ path: at }) => at === whole || at.startsWith(`${whole}.`) || at.startsWith(`${whole}[`));
}

/** What is at a path in a value; undefined if nothing is. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      at !== null && typeof at === 'object' ? Object.getOwnPropertyDescriptor(at, step)?.value : undefined,
    value,
  );
}

/** Whether it is a map, not a list. */
export function isMapValue(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The type of a section that is named `TYPE` or `TYPE/NAME`. */
export function typeOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(0, slash);
}

/** A name as messages show it. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
