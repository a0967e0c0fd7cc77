/** What names a saved value: the kind of it, and whatever tells it from the others of its kind. */
export type CellKey = readonly [kind: string, ...parts: readonly (string | number)[]];

/** A saved value: anything that msgpack can say; undefined removes it. */
export type Cell = readonly [key: CellKey, value: unknown];

/** What was saved, as it was written. */
export interface SavedCells {
  /** All whose keys begin so, with the rest of their keys, in any order. */
  under(...prefix: CellKey): readonly (readonly [rest: readonly (string | number)[], value: unknown])[];
}

/** A text that tells keys apart, without control characters and lone surrogates. */
export function keyText(key: CellKey): string {
  return JSON.stringify(key);
}

/** Later cells over earlier ones: of each key, only what was said last. */
export function mergeCells(earlier: readonly Cell[], later: readonly Cell[]): readonly Cell[] {
  return [...new Map([...earlier, ...later].map((cell) => [keyText(cell[0]), cell])).values()];
}

/** Numbers as they are saved. */
export function bytesOf(values: Float64Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** Saved numbers. */
export function numbersOf(saved: unknown): Float64Array {
  // Written by `bytesOf`. Bytes of a database are rarely aligned as numbers have to be.
  return new Float64Array(Uint8Array.from(saved as Uint8Array).buffer);
}
