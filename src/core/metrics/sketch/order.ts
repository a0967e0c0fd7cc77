/**
 * Compares two well-formed texts by code points, which is the order of their UTF-8 bytes: negative if `one` comes first.
 * JavaScript's own order, by UTF-16 units, puts U+1F600 before U+FFFD.
 */
export function compareCodePoints(one: string, other: string): number {
  const end = Math.min(one.length, other.length);
  for (let at = 0; at < end; at++) {
    const unit = one.charCodeAt(at);
    const otherUnit = other.charCodeAt(at);
    if (unit !== otherUnit) return rank(unit) - rank(otherUnit);
  }
  return one.length - other.length;
}

/** Surrogates stand for code points beyond all that have a unit of their own. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
