/**
 * Which of the `known` names of patterns occur as `<name>` in a filter's regexes. `<<ip>:\d+>` holds `<ip>`; a named
 * group of the regex itself, `(?<word>…)` or `(?P<word>…)`, is no pattern.
 */
export function patternNames(regexes: readonly string[], known: readonly string[]): ReadonlySet<string> {
  return new Set(known.filter((name) => regexes.some((regex) => holds(regex, `<${name}>`))));
}

/** The same for a configuration without any `patterns`: every `<word>` is taken for one. */
export function patternNamesWithoutSection(regexes: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const regex of regexes) {
    for (const { 1: name = '', index } of regex.matchAll(/<([\p{L}\p{N}_]+)>/gu)) {
      if (!opensGroup(regex, index)) names.add(name);
    }
  }
  return names;
}

function holds(regex: string, needle: string): boolean {
  for (let at = regex.indexOf(needle); at >= 0; at = regex.indexOf(needle, at + 1)) {
    if (!opensGroup(regex, at)) return true;
  }
  return false;
}

/** Is the `<` there a part of `(?<` or `(?P<`? In `\(?<ip>` it is not: that is an optional parenthesis. */
function opensGroup(regex: string, at: number): boolean {
  let before = at - 1;
  if (regex[before] === 'P') before--;
  if (regex[before] !== '?' || regex[before - 1] !== '(') return false;
  let backslashes = 0;
  while (regex[before - 2 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 0;
}
