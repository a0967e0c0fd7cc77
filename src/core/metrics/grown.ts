type Numbers = Float64Array | Uint8Array | Uint32Array | Int32Array;

/**
 * A copy with room for so many, and for as many more as make growing cheap: what was never written to takes no memory,
 * but each copy that is outgrown does until it is collected.
 */
export function grown<T extends Numbers>(from: T, length: number): T {
  const more = new (from.constructor as new (length: number) => T)(Math.max(length, from.length * 2));
  more.set(from);
  return more;
}
