import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/** Numbers of one series in one step. */
export interface Step {
  readonly step: number;
  readonly values: Float64Array;
}

/** How the numbers of a step that come one after the other become one. */
export type Combine = (into: Float64Array, more: Float64Array) => void;

/** Numbers that are kept in memory before they go to disk. */
const MOST_NUMBERS = 2_000_000;
/** Bytes of a key: series and step, each big-endian, so that they sort. */
const KEY_BYTES = 12;

/**
 * Numbers by series and step, given in any order and taken back in theirs. What does not fit in memory lies in a temporary
 * folder meanwhile.
 */
export class StepStore {
  readonly #folder: string;
  readonly #disk: RootDatabase<Buffer, Buffer>;
  /** By series, then step. */
  readonly #memory = new Map<number, Map<number, Float64Array>>();
  readonly #combine: (series: number) => Combine;
  #numbers = 0;

  private constructor(folder: string, combine: (series: number) => Combine) {
    this.#folder = folder;
    this.#combine = combine;
    this.#disk = open({ path: folder, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', noSync: true });
  }

  /** Makes an empty one; `combine` tells how the numbers of a series are put together. */
  static async create(combine: (series: number) => Combine): Promise<StepStore> {
    return new StepStore(await mkdtemp(join(tmpdir(), 'trailgauge-backfill-')), combine);
  }

  add(series: number, { step, values }: Step): void {
    let steps = this.#memory.get(series);
    if (!steps) {
      steps = new Map();
      this.#memory.set(series, steps);
    }
    const known = steps.get(step);
    if (known) {
      this.#combine(series)(known, values);
      return;
    }
    steps.set(step, values.slice());
    this.#numbers += values.length;
  }

  /** Brings to disk what is too much for memory. */
  async relieve(): Promise<void> {
    if (this.#numbers < MOST_NUMBERS) return;
    await this.#disk.transaction(() => {
      for (const [series, steps] of this.#memory) {
        const combine = this.#combine(series);
        for (const [step, values] of steps) {
          const key = keyOf(series, step);
          const before = this.#disk.get(key);
          if (before) combine(values, numbersIn(before));
          this.#disk.put(key, Buffer.from(values.buffer, values.byteOffset, values.byteLength));
        }
      }
    });
    this.#memory.clear();
    this.#numbers = 0;
  }

  /** The steps of a series in their order. */
  *steps(series: number): Generator<Step> {
    const combine = this.#combine(series);
    const memory = [...(this.#memory.get(series) ?? [])].sort(([a], [b]) => a - b);
    let next = 0;
    const range = { start: keyOf(series, 0), end: keyOf(series + 1, 0) };
    for (const { key, value } of this.#disk.getRange(range)) {
      const step = key.readDoubleBE(4);
      const values = numbersIn(value);
      for (; next < memory.length && memory[next]![0] < step; next++) yield asStep(memory[next]!);
      if (next < memory.length && memory[next]![0] === step) combine(values, memory[next++]![1]);
      yield { step, values };
    }
    for (; next < memory.length; next++) yield asStep(memory[next]!);
  }

  async close(): Promise<void> {
    await this.#disk.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function asStep([step, values]: readonly [number, Float64Array]): Step {
  return { step, values };
}

/** Steps are positive, and positive doubles sort by their bytes. */
function keyOf(series: number, step: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt32BE(series, 0);
  key.writeDoubleBE(Math.max(0, step), 4);
  return key;
}

function numbersIn(bytes: Buffer): Float64Array {
  return new Float64Array(Uint8Array.from(bytes).buffer);
}
