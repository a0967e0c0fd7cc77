import { type Cell, type CellKey, keyText, type SavedCells } from '../../src/core/cells.ts';
import { seal, unseal } from '../../src/core/sealed.ts';

/** Saved cells in memory, packed as they are on disk. */
export class MemoryCells {
  readonly #cells = new Map<string, Buffer>();

  save(cells: readonly Cell[]): void {
    for (const [key, value] of cells) {
      if (value === undefined) this.#cells.delete(keyText(key));
      else this.#cells.set(keyText(key), seal(value));
    }
  }

  load(): SavedCells {
    const cells = [...this.#cells].map(([text, sealed]) => [JSON.parse(text) as CellKey, unseal(sealed)] as const);
    return {
      under: (...prefix) =>
        cells
          .filter(([key]) => prefix.every((part, index) => key[index] === part))
          .map(([key, value]) => [key.slice(prefix.length), value]),
    };
  }
}
