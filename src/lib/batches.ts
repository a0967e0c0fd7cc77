/** How much one request may carry. */
export interface BatchLimits {
  readonly count: number;
  readonly bytes: number;
}

/** A run of the items that go together: from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts items of these sizes (bytes), in their order, into runs within both limits. An item that is larger than the
 * limit travels alone: whether that is too large is for the server to say. No items, no runs.
 */
export function batches(sizes: readonly number[], { count, bytes }: BatchLimits): readonly Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let total = 0;
  for (const [index, size] of sizes.entries()) {
    if (index > start && (index - start >= count || total + size > bytes)) {
      ranges.push({ start, end: index });
      start = index;
      total = 0;
    }
    total += size;
  }
  if (sizes.length > start) ranges.push({ start, end: sizes.length });
  return ranges;
}

/** The two halves of a run of two or more, the first not the smaller one. */
export function halves({ start, end }: Range): readonly [Range, Range] {
  const middle = start + Math.ceil((end - start) / 2);
  return [
    { start, end: middle },
    { start: middle, end },
  ];
}
