import { bytesOf, type Cell, numbersOf, type SavedCells } from '../cells.ts';
import type { MetricDef } from './define.ts';
import type { Registry } from './registry.ts';
import type { SavedReturns } from './returns.ts';
import type { Seed } from './sketch/hash.ts';
import type { SavedRow } from './table.ts';

/** Takes what changed of all series since it was last taken, in the form in which it is saved. */
export function takeSeries(registry: Registry): Cell[] {
  registry.settle();
  const cells: Cell[] = [];
  for (const { def, table, since, natives, tops, distincts, maxima } of registry.families.values()) {
    const name = savedName(def);
    // One by one: more may have changed than a call can have arguments.
    for (const kept of [tops, distincts, maxima]) for (const cell of kept?.take(name) ?? []) cells.push(cell);
    if (!table) continue;
    for (const { page, rows } of table.takeRows()) cells.push([['rows', name, page], rows]);
    for (const { page, values } of table.totals.take()) cells.push([['totals', name, page], bytesOf(values)]);
    for (const { page, returns } of table.returns.take()) cells.push([['returns', name, page], returns]);
    if (natives) cells.push(...natives.take(name));
    if (!since) continue;
    for (const { column, page, values } of since.take()) cells.push([['since', name, column, page], bytesOf(values)]);
  }
  // Hashes in sketches are of no use without it.
  if (cells.some(([[kind]]) => kind === 'sketch') && registry.takeSeedChanged()) cells.push([['seed'], registry.seed]);
  return cells;
}

/** Whether there is anything to take. */
export function isChanged(registry: Registry): boolean {
  for (const { table, since, natives, tops, distincts, maxima } of registry.families.values()) {
    if ([table, since, natives, tops, distincts, maxima].some((kept) => kept?.dirty)) return true;
  }
  return false;
}

/**
 * Takes saved series back, after all catalogues are registered. Those of owners that are gone stay saved, unseen, and
 * so do those of metrics that are gone, or whose labels or buckets have changed.
 */
export function restoreSeries(registry: Registry, saved: SavedCells): void {
  const isThere = (owner: string) => registry.isOwner(owner);
  // Written by `takeSeries`; the version of the state's format vouches for the shape.
  registry.restoreSeed(saved.under('seed')[0]?.[1] as Seed | undefined);
  for (const { def, table, since, natives, tops, distincts, maxima } of registry.families.values()) {
    const name = savedName(def);
    for (const kept of [tops, distincts, maxima]) kept?.restore(saved, name, registry);
    if (!table) continue;
    for (const [[page], rows] of saved.under('rows', name)) {
      table.restore({ page: Number(page), rows: rows as readonly SavedRow[] }, isThere);
    }
    for (const [[page], value] of saved.under('totals', name)) {
      table.totals.restore({ page: Number(page), values: numbersOf(value) });
    }
    for (const [[page], returns] of saved.under('returns', name)) {
      table.returns.restore({ page: Number(page), returns: returns as SavedReturns['returns'] });
    }
    for (const [[column, page], value] of saved.under('since', name)) {
      since?.restore({ column: String(column), page: Number(page), values: numbersOf(value) });
    }
    natives?.restore(saved, name);
    table.restored(registry.time);
    registry.births = Math.max(registry.births, table.returns.last + 1);
    for (let row = 0; row < table.length; row++) registry.births = Math.max(registry.births, table.born[row]! + 1);
  }
}

/** What a metric's pages go by: they hold values alone, which under other labels or buckets would mean something else. */
function savedName({ name, labels, buckets = [] }: MetricDef): string {
  return [name, ...labels, ...buckets].join(' ');
}
