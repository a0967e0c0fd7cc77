import type { Piece } from '../../../../src/core/metrics/sketch/window.ts';
import { seal, unseal } from '../../../../src/core/sealed.ts';

/** Saved pieces, that have been through the format of the disk. */
export class Disk {
  readonly #pieces = new Map<string, Buffer>();

  get size(): number {
    return this.#pieces.size;
  }

  commit(changes: Iterable<Piece>): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.#pieces.delete(key);
      else this.#pieces.set(key, seal(value));
    }
  }

  /** Latest first: no order is promised. */
  load(): Piece[] {
    return [...this.#pieces].map(([key, bytes]) => [key, unseal(bytes)] as const).reverse();
  }
}
