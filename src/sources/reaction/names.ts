/** Labels that the metrics have already. */
const TAKEN = new Set(['stream', 'filter', 'action', 'source']);

/**
 * The label name for each name of a pattern, in the same order: always legal in the Prometheus text format
 * (`[A-Za-z_][A-Za-z0-9_]*`, not beginning with `__`), never one of the metrics' own labels, and no two alike. Foreign
 * characters become `_`; `pattern_` or `_2` resolve what then collides.
 */
export function labelNames(patterns: readonly string[]): readonly string[] {
  const used = new Set<string>();
  return patterns.map((pattern) => {
    const wanted = legalName(pattern);
    let name = wanted;
    for (let number = 2; used.has(name); number++) name = legalName(`${wanted}_${number}`);
    used.add(name);
    return name;
  });
}

function legalName(pattern: string): string {
  const plain = pattern.replaceAll(/[^A-Za-z0-9_]/gu, '_') || '_';
  const name = /^[0-9]/.test(plain) ? `_${plain}` : plain;
  return TAKEN.has(name) || name.startsWith('__') ? `pattern_${name}` : name;
}
