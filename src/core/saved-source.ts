import type { Cell, SavedCells } from './cells.ts';
import type { SavedEntries } from './source.ts';

/** What was saved of a source: null for nothing. */
export interface SavedSource {
  readonly position: unknown;
  readonly entries: SavedEntries;
}

/** Kinds of cells: where a source reads on, and the parts of what it remembers. */
const POSITION = 'position';
const ENTRY = 'entry';

/** What is to be saved of a source. */
export function sourceCells(name: string, { position, entries }: SavedSource): readonly Cell[] {
  return [[[POSITION, name], position], ...entries.map(([key, value]): Cell => [[ENTRY, name, key], value])];
}

/** What was saved of a source. */
export function savedSource(saved: SavedCells, name: string): SavedSource {
  const entries = saved.under(ENTRY, name).map(([[key], value]): readonly [string, unknown] => [String(key), value]);
  return { position: saved.under(POSITION, name)[0]?.[1] ?? null, entries };
}
