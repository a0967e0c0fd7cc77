/** What sorts differently as UTF-16 than as UTF-8: surrogates, and the characters behind them. */
const HIGH = /[\ud800-\uffff]/;

/** Compares two keys by their UTF-8 bytes, as object stores do; below 0, 0, or above 0. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  // Where they part, one of the two is then below all that is out of order.
  if (!HIGH.test(a) || !HIGH.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
