/** Longer names than this are never compared: a distance costs the product of both lengths. */
const LONGEST = 64;

/**
 * The known name that an unknown one was probably meant to be, for "did you mean" in an error text;
 * `undefined` if nothing is near. Near is: the same but for case, `-` and `_`; or at most one slip (a letter
 * missing, added, changed, or swapped with its neighbour) for each three letters of the shorter name, and never
 * more than three. Of names equally near the first known one is taken.
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = plain(name);
  let best: string | undefined;
  let bestSlips = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate.length > LONGEST) continue;
    const other = plain(candidate);
    const allowed = Math.min(3, Math.floor(Math.min(wanted.length, other.length) / 3));
    if (Math.abs(wanted.length - other.length) > allowed) continue;
    const slips = distance(wanted, other);
    if (slips <= allowed && slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

/** Optimal string alignment: Levenshtein's distance with swapped neighbours as one slip. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, (beforeLast[column - 2] ?? 0) + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
