import { createHash } from 'node:crypto';
import { isLegacyLabelName, labelName, readLabelText, writtenLabelName } from './names.ts';
import type { Escaping } from './negotiate.ts';

/** Longest label value that is shown whole, in UTF-16 units. */
export const LABEL_VALUE_LIMIT = 1024;

/** Most labels that the data may add to a series; those beyond are left out. */
export const EXTRA_LABELS_LIMIT = 64;

/** A label's name and value. */
export type Label = readonly [name: string, value: string];

/**
 * The text between the braces of a series, escaped for both text formats: `stream="ssh",filter="a\"b"`.
 *
 * Labels with an empty value are left out, as an empty and an absent label are one to Prometheus. Escaping makes the
 * text collision-free, so it can be a key as well.
 */
export function labelText(labels: Iterable<Label>): string {
  let text = '';
  for (const [name, value] of labels) {
    if (value === '') continue;
    text += `${text && ','}${writtenLabelName(name)}="${escapeValue(boundValue(value))}"`;
  }
  return text;
}

/** Stands before a label text that holds names which not every scraper takes. */
const FOREIGN = '\0';

/** The label text of labels that are not declared, as it is kept: how its names are shown depends on the scraper. */
export function suffixText(labels: readonly Label[]): string {
  const text = labelText(labels);
  return labels.every(([name]) => isLegacyLabelName(name)) ? text : FOREIGN + text;
}

/** A kept label text with one label more, whose name every scraper takes. */
export function withLabel(kept: string, label: Label): string {
  const text = labelText([label]);
  return kept === '' || text === '' ? kept + text : `${kept},${text}`;
}

/** A kept label text as a scraper sees it. */
export function shownSuffix(kept: string, escaping: Escaping): string {
  return kept.startsWith(FOREIGN) ? labelText(suffixLabels(kept, escaping)) : kept;
}

/** The labels of a kept label text, named as a scraper sees them. */
export function suffixLabels(kept: string, escaping: Escaping): readonly Label[] {
  if (!kept.startsWith(FOREIGN)) return readLabelText(kept);
  return readLabelText(kept.slice(FOREIGN.length)).map(([name, value]): Label => [labelName(name, escaping), value]);
}

/** HELP text, escaped: in OpenMetrics quotes are escaped too. */
export function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** A bounded value as it stands between the quotes. */
export function escapeValue(value: string): string {
  if (!/["\\\n]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/**
 * A value as it is shown: an over-long one keeps its beginning, and the hash of the whole keeps different ones apart.
 * Lone surrogates would become U+FFFD only when encoded: replaced here, they cannot make two keys of one series.
 */
export function boundValue(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  if (text.length <= LABEL_VALUE_LIMIT) return text;
  const hash = createHash('sha256').update(value).digest('hex').slice(0, 12);
  return `${text.slice(0, LABEL_VALUE_LIMIT - 13).toWellFormed()}~${hash}`;
}
