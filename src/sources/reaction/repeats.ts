import { grown } from '../../core/metrics/grown.ts';
import { type ActionState, type FilterState, noteMark } from './filters.ts';
import type { Hold } from './hold.ts';
import type { Taker } from './numbered.ts';
import { countMore, type Observed } from './observed.ts';
import type { Tuple, Tuples } from './recent.ts';

/** What lines have in common: they are matches of a filter, or runs of one of its actions. */
interface Head {
  readonly filter: FilterState;
  readonly action: ActionState | null;
  /** Whether they have values that are counted one by one, at the end of each batch. */
  readonly hasValues: boolean;
}

/**
 * Counts lines whose like has been observed before by their numbers alone: nearly all of a log that is read whole. It
 * does what the observer would do, but does not look at what is known of each line, which lies all over the memory:
 * how many times a line came is told once, at the end. So nobody may look at the metrics before.
 */
export class Repeats implements Taker, Tuples {
  readonly #hold: Hold;
  /** Lines that are to be counted at the end of the batch. */
  readonly #waiting: Observed[];
  readonly #heads: (Head | null)[] = [null];
  /** Places among the heads. */
  readonly #places = new Map<FilterState | ActionState, number>();
  readonly #placesWithValues = new Map<FilterState | ActionState, number>();
  /** By number: the place of its head, 0 for lines that have to be observed. */
  #headOf = new Int32Array(0);
  /** By number: hash of the arguments of a run. */
  #hashes = new Float64Array(0);
  /** By number: how many times it came and has not been counted. */
  #times = new Int32Array(0);
  #seen: (Observed | undefined)[] = [];

  constructor(hold: Hold, waiting: Observed[]) {
    this.#hold = hold;
    this.#waiting = waiting;
  }

  reserve(count: number): void {
    if (count <= this.#headOf.length) return;
    this.#headOf = grown(this.#headOf, count);
    this.#hashes = grown(this.#hashes, count);
    this.#times = grown(this.#times, count);
  }

  take(number: number): boolean {
    const head = this.#heads[this.#headOf[number]!]!;
    if (head === null) return false;
    const { filter, action } = head;
    const { mark } = this.#hold;
    if (action === null) {
      noteMark(filter, mark);
      filter.recent.addLater(number, this);
    } else {
      // It may have to be held.
      if (filter.mark < mark) return false;
      action.open.announce(this.#hashes[number]!, false);
    }
    if (head.hasValues && this.#times[number] === 0) this.#waiting.push(this.#seen[number]!);
    this.#times[number]! += 1;
    return true;
  }

  /** Takes a line that was just observed, and that tells no time, into account: the next ones like it are taken. */
  learn(number: number, seen: Observed): void {
    const { filter, action, values, kept, owed, waiting } = seen;
    // Where none are taken, there is no place for it either.
    if (this.#headOf[number] !== 0 || filter === null || owed === null) return;
    const isMatch = seen.kind === 'match' && kept !== null;
    const isRun = seen.kind === 'action' && !seen.failed && action !== null;
    if (!isMatch && !isRun) return;
    this.#headOf[number] = this.#placeOf({ filter, action, hasValues: values.length > 0 });
    this.#hashes[number] = seen.hash;
    // If it waits already, it has its place among those that do.
    this.#times[number] = waiting;
    this.#seen[number] = seen;
    seen.number = number;
    seen.waiting = 0;
  }

  /** How many times a line was taken since this was asked last. */
  takeTimes({ number }: Observed): number {
    if (number < 0) return 0;
    const times = this.#times[number]!;
    this.#times[number] = 0;
    return times;
  }

  forget(): void {
    for (const head of this.#heads) head?.filter.recent.settle();
    for (const seen of this.#seen) if (seen) countMore(seen, this.takeTimes(seen));
    this.#headOf.fill(0);
    this.#seen = [];
  }

  tuple(number: number): Tuple {
    // Of matches only those are taken that have one.
    return this.#seen[number]!.kept!;
  }

  #placeOf(head: Head): number {
    const places = head.hasValues ? this.#placesWithValues : this.#places;
    const key = head.action ?? head.filter;
    const known = places.get(key);
    if (known !== undefined) return known;
    const place = this.#heads.push(head) - 1;
    places.set(key, place);
    return place;
  }
}
