import { bytesOf, type Cell, numbersOf, type SavedCells } from '../cells.ts';
import type { MetricDef } from './define.ts';
import type { Family } from './family.ts';
import type { Maximum, MaximumSeries } from './handles.ts';
import { type Label, suffixText } from './labels.ts';
import type { Registry } from './registry.ts';
import { declared, type LabelSet, OTHER } from './rows.ts';

/** Milliseconds of a slot, which is a minute; the window has so many. */
export const SLOT_MS = 60_000;
const SLOTS = 60;

/** The slot that a time falls into. */
export function slotOf(time: number): number {
  return Math.floor(time / SLOT_MS);
}

/** The first slot of the window that ends with this one. */
export function firstSlot(last: number): number {
  return last - SLOTS + 1;
}

/** The greatest value of each minute of one series: pairs of minute and value, one place for all minutes that are an hour apart. */
class Slots {
  /** Minutes since 1970 at even places, values at odd ones. */
  readonly pairs: Float64Array<ArrayBuffer>;
  isChanged = true;

  constructor(pairs: Float64Array<ArrayBuffer> = new Float64Array(2 * SLOTS).fill(Number.NaN)) {
    this.pairs = pairs;
  }

  raise(slot: number, value: number): void {
    const at = 2 * (((slot % SLOTS) + SLOTS) % SLOTS);
    const before = this.pairs[at]!;
    // A place that holds a later minute is needed no more for this one.
    if (before > slot || (before === slot && this.pairs[at + 1]! >= value)) return;
    this.pairs[at] = slot;
    this.pairs[at + 1] = value;
    this.isChanged = true;
  }

  /** The greatest value from a slot on; null if there is none. */
  greatest(from: number): number | null {
    let found: number | null = null;
    for (let at = 0; at < this.pairs.length; at += 2) {
      if (this.pairs[at]! >= from && (found === null || this.pairs[at + 1]! > found)) found = this.pairs[at + 1]!;
    }
    return found;
  }
}

/** What one owner has: its series by their label texts, and the slot of its newest event. */
interface Owned {
  readonly series: Map<string, Slots>;
  newest: number;
  isMoved: boolean;
}

/** The series of a `maximum` metric, of all owners. */
export class Maxima {
  readonly #owned = new Map<string, Owned>();
  /** Series that were forgotten, and are still saved. */
  readonly #gone: (readonly [owner: string, text: string])[] = [];

  /** Series that are kept. */
  get shown(): number {
    let count = 0;
    for (const { series } of this.#owned.values()) count += series.size;
    return count;
  }

  /** The handle for one owner; at the limit, what else comes shares one series. */
  handle(
    family: Family,
    [owner, constant]: readonly [string, readonly Label[]],
    registry: Registry,
  ): Maximum<MetricDef> {
    const owned = this.#of(owner);
    const { labels: names } = family.def;
    const textOf = (labels: LabelSet) => suffixText([...declared(names, labels), ...constant]);
    const others = textOf(Object.fromEntries(names.map((name) => [name, OTHER])));
    const advance = (time: number) => {
      const slot = slotOf(time);
      // Nor is one that is no number the newest.
      if (!(slot > owned.newest)) return;
      owned.newest = slot;
      owned.isMoved = true;
    };
    const raise = (own: string, { value, time, events }: { value: number; time: number; events: number }) => {
      advance(time);
      const slot = slotOf(time);
      if (!(slot >= firstSlot(owned.newest))) return;
      let text = own;
      if (!owned.series.has(text) && !registry.hasRoom(family)) {
        family.limited += events;
        text = others;
      }
      let slots = owned.series.get(text);
      if (!slots) {
        slots = new Slots();
        owned.series.set(text, slots);
        registry.gaugesBorn += 1;
      }
      slots.raise(slot, value);
    };
    return {
      series: (labels: LabelSet): MaximumSeries => {
        const text = textOf(labels);
        return { observe: (value, time, events = 1) => raise(text, { value, time, events }) };
      },
      advance,
    };
  }

  /** Whether an owner has this series. */
  has(owner: string, labels: readonly Label[]): boolean {
    return this.#owned.get(owner)?.series.has(suffixText(labels)) === true;
  }

  /** Label texts and values; series of which nothing is left in the window are forgotten. */
  *rows(): Generator<readonly [text: string, value: number]> {
    for (const [owner, { series, newest }] of this.#owned) {
      for (const [text, slots] of series) {
        const value = slots.greatest(firstSlot(newest));
        if (value !== null) yield [text, value];
        else {
          series.delete(text);
          this.#gone.push([owner, text]);
        }
      }
    }
  }

  get dirty(): boolean {
    if (this.#gone.length > 0) return true;
    for (const { series, isMoved } of this.#owned.values()) {
      if (isMoved) return true;
      for (const { isChanged } of series.values()) if (isChanged) return true;
    }
    return false;
  }

  /** What changed since it was last taken. */
  *take(name: string): Generator<Cell> {
    for (const [owner, text] of this.#gone.splice(0)) yield [['maximum', name, owner, text], undefined];
    for (const [owner, owned] of this.#owned) {
      if (owned.isMoved) yield [['newest', name, owner], owned.newest];
      owned.isMoved = false;
      for (const [text, slots] of owned.series) {
        if (slots.isChanged) yield [['maximum', name, owner, text], bytesOf(slots.pairs.slice())];
        slots.isChanged = false;
      }
    }
  }

  /** Takes back what was saved for owners that are there. */
  restore(saved: SavedCells, name: string, registry: Registry): void {
    for (const [[owner], value] of saved.under('newest', name)) {
      if (registry.isOwner(String(owner))) this.#of(String(owner)).newest = Number(value);
    }
    for (const [[owner, text], value] of saved.under('maximum', name)) {
      if (!registry.isOwner(String(owner))) continue;
      const slots = new Slots(Float64Array.from(numbersOf(value)));
      slots.isChanged = false;
      this.#of(String(owner)).series.set(String(text), slots);
    }
  }

  #of(owner: string): Owned {
    let owned = this.#owned.get(owner);
    if (!owned) {
      owned = { series: new Map(), newest: Number.NEGATIVE_INFINITY, isMoved: false };
      this.#owned.set(owner, owned);
    }
    return owned;
  }
}
