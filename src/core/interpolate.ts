/** What became of the `${NAME}` in a text. */
export interface Interpolated {
  readonly text: string;
  /** Names without a value and without a default. */
  readonly missing: readonly string[];
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` from the environment; the default also stands in for an empty value.
 * `$${` is a plain `${`.
 */
export function interpolate(text: string, env: NodeJS.ProcessEnv): Interpolated {
  const missing: string[] = [];
  const result = text.replace(
    /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_, escaped: string | undefined, name: string, fallback: string | undefined) => {
      if (escaped) return escaped;
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value) return value;
      if (fallback === undefined && value === undefined) missing.push(name);
      return fallback ?? '';
    },
  );
  return { text: result, missing };
}
