/** The value of the label `source`, and the constant labels of the source's own metrics. */
export function sourceLabel(name: string): { readonly label: string; readonly constant: readonly [string, string][] } {
  const label = name.slice(name.indexOf('/') + 1);
  return { label, constant: label === name ? [] : [['source', label]] };
}
