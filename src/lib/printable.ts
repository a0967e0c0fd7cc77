/** Whether a text has more characters, surrogate pairs being one. */
export function isLongerThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  if (text.length > 2 * most) return true;
  let length = 0;
  for (const _ of text) length += 1;
  return length > most;
}

/** A text that can be shown as a label: at most 128 characters, none of them a control character. */
export function isPrintable(text: string): boolean {
  return !isLongerThan(text, 128) && !CONTROL.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\x00-\x1f\x7f]/;
