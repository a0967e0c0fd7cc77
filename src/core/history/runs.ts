import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { directoryProblem } from '../state-directory.ts';
import type { Run } from './store.ts';

/** Bytes of rows that are read together. */
const READ_BYTES = 64 * 1024;
const NUMBER_BYTES = Float64Array.BYTES_PER_ELEMENT;

/**
 * Runs in a temporary file, which is made for the first one. The file loses its name at once: however the program ends,
 * nothing is left of it.
 */
export class RunFile {
  readonly #folder: string;
  readonly #runs = new Map<number, Run[]>();
  #descriptor: number | null = null;
  #length = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Adds a run of a series; throws with the reason if it cannot be written. */
  write(series: number, { first, rows, width, read }: Run): void {
    const numbers = read(0);
    const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const begin = this.#length;
    try {
      this.#descriptor ??= openUnnamed(this.#folder);
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, begin + done);
      }
    } catch (error) {
      const folder = this.#folder;
      throw new Error(`temporary folder ${folder}: ${directoryProblem(error, folder)}`, { cause: error });
    }
    this.#length += bytes.length;
    const most = Math.max(1, Math.floor(READ_BYTES / (width * NUMBER_BYTES)));
    const written: Run = {
      first,
      rows,
      width,
      read: (row) => this.#read(begin + row * width * NUMBER_BYTES, Math.min(most, rows - row) * width),
    };
    const known = this.#runs.get(series);
    if (known) known.push(written);
    else this.#runs.set(series, [written]);
  }

  /** A list of the runs of a series, which the caller may change. */
  of(series: number): Run[] {
    return [...(this.#runs.get(series) ?? [])];
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#runs.clear();
  }

  #read(position: number, numbers: number): Float64Array {
    if (this.#descriptor === null) throw new Error('what was put aside is gone');
    const bytes = new Uint8Array(numbers * NUMBER_BYTES);
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#descriptor, bytes, done, bytes.length - done, position + done);
      if (count === 0)
        throw new Error(`temporary folder ${this.#folder}: found the end of what was put aside too early`);
      done += count;
    }
    return new Float64Array(bytes.buffer);
  }
}

function openUnnamed(folder: string): number {
  const path = join(folder, `trailgauge-backfill-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return descriptor;
}
