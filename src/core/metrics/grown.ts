type Numbers = Float64Array | Uint8Array | Uint32Array | Int32Array;

/** From this length on an array doubles. */
const LARGE = 16_384;

/**
 * A copy with room for so many numbers, and for as many more as make growing cheap: what was never written to takes no
 * memory, while each copy that is outgrown does until it is collected.
 */
export function grown<T extends Numbers>(from: T, length: number): T {
  const more = from.length * (from.length < LARGE ? 4 : 2);
  const copy = new (from.constructor as new (length: number) => T)(Math.max(length, more));
  copy.set(from);
  return copy;
}
