import type { Piece, Slice } from './window.ts';

/** A value that a slice counts. */
export interface Counted {
  readonly value: string;
  /** How often the value was added: at least `count - error` times, and at most `count` times. */
  count: number;
  readonly error: number;
  /** The count that the heap last ordered it by; never more than `count`. */
  ordered: number;
  /** Its place in the slice, -1 when it had to make room. */
  slot: number;
  /** The slice's mark. A reference to the slice itself would keep a slice alive that left the window. */
  readonly mark: object;
}

/**
 * Space-saving: the values that were added most often, with as many counters as it has room for (Metwally, Agrawal and
 * El Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005).
 *
 * A new value that finds no room takes the place of the one with the smallest count, among equals of the one in the
 * lowest slot, and is given its count as error. So the state is what is in which slot and nothing else, and a restored
 * slice goes on as the saved one would have.
 */
export class TopSlice implements Slice {
  readonly #capacity: number;
  readonly #mark = {};
  readonly #slots: Counted[] = [];
  readonly #byValue = new Map<string, Counted>();
  /**
   * Smallest first by `ordered`, then by slot; empty until there is no room. Counting does not touch it: as counts only
   * grow, the first is the smallest of all if its order is up to date, and making room brings up to date what it meets.
   */
  #heap: Counted[] = [];
  #floor = 0;
  #isChanged = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What is counted, by slot. */
  get counted(): readonly Counted[] {
    return this.#slots;
  }

  /** The most that a value can have been added that is not counted: the count of the last that made room. */
  get floor(): number {
    return this.#floor;
  }

  /** Counts a value once more that `add` told the counter of; false if it is no counter of this slice, or not now. */
  again(counted: Counted): boolean {
    if (counted.mark !== this.#mark || counted.slot < 0) return false;
    counted.count++;
    this.#isChanged = true;
    return true;
  }

  /** Counts a value that is counted already; false if it is not. */
  hit(value: string): boolean {
    const counted = this.#byValue.get(value);
    if (counted === undefined) return false;
    counted.count++;
    this.#isChanged = true;
    return true;
  }

  /** Counts a value, which is kept as it is given. */
  add(value: string): Counted {
    const counted = this.#byValue.get(value);
    if (counted === undefined) return this.admit(value);
    counted.count++;
    this.#isChanged = true;
    return counted;
  }

  /** Counts a value, which is kept as it is given, that is known not to be counted. */
  admit(value: string): Counted {
    this.#isChanged = true;
    const free = this.#slots.length;
    if (free < this.#capacity) return this.#put(value, this.#floor + 1, this.#floor, free);
    const least = this.#least();
    const { slot, count } = least;
    least.slot = -1;
    this.#byValue.delete(least.value);
    this.#floor = count;
    const counted = this.#put(value, count + 1, count, slot);
    this.#heap[0] = counted;
    siftDown(this.#heap);
    return counted;
  }

  changes(): readonly Piece[] {
    if (!this.#isChanged) return NOTHING;
    this.#isChanged = false;
    const rows = this.#slots.map(({ value, count, error }) => [value, count, error] as const);
    return [['', [this.#floor, rows] satisfies SavedTop]];
  }

  restore(_key: string, saved: unknown): void {
    // Written by `changes`; the format version of the state vouches for the shape.
    const [floor, rows] = saved as SavedTop;
    const kept = rows.length > this.#capacity ? [...rows].sort(([, one], [, other]) => other - one) : [...rows];
    // Those for whom there was room, but is no more, are below the floor now.
    const [, highest] = kept.splice(this.#capacity)[0] ?? ['', 0];
    this.#floor = Math.max(floor, highest);
    for (const [slot, [value, count, error]] of kept.entries()) this.#put(value, count, error, slot);
  }

  #put(value: string, count: number, error: number, slot: number): Counted {
    const counted = { value, count, error, ordered: count, slot, mark: this.#mark };
    this.#slots[slot] = counted;
    this.#byValue.set(value, counted);
    return counted;
  }

  /** The first of the heap, when it is known to be the smallest. */
  #least(): Counted {
    if (this.#heap.length === 0) this.#heap = heapOf(this.#slots);
    for (;;) {
      const first = this.#heap[0]!;
      if (first.ordered === first.count) return first;
      first.ordered = first.count;
      siftDown(this.#heap);
    }
  }
}

const NOTHING: readonly Piece[] = [];

type SavedTop = readonly [floor: number, rows: readonly (readonly [value: string, count: number, error: number])[]];

/** What is sorted is a heap. */
function heapOf(slots: readonly Counted[]): Counted[] {
  for (const counted of slots) counted.ordered = counted.count;
  return [...slots].sort((one, other) => (isBefore(one, other) ? -1 : 1));
}

/** Moves the first to where it belongs. */
function siftDown(heap: Counted[]): void {
  const moving = heap[0]!;
  let place = 0;
  for (;;) {
    let below = 2 * place + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
    if (!isBefore(heap[below]!, moving)) break;
    heap[place] = heap[below]!;
    place = below;
  }
  heap[place] = moving;
}

function isBefore(one: Counted, other: Counted): boolean {
  return one.ordered < other.ordered || (one.ordered === other.ordered && one.slot < other.slot);
}
