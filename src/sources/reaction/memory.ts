import type { SavedEntries } from '../../core/source.ts';
import type { FilterState, Filters } from './filters.ts';
import type { Hold, SavedHold } from './hold.ts';
import type { SavedSegment } from './recent.ts';
import type { Runs, SavedRuns } from './runs.ts';

/** All that later lines may refer to. */
export interface Memory {
  readonly hold: Hold;
  readonly commands: { readonly start: Runs; readonly stop: Runs };
  readonly filters: Filters;
}

/** What changed since the last call. */
export function* changesOf({ hold, commands, filters }: Memory): Generator<readonly [key: string, value: unknown]> {
  if (hold.changed) yield ['hold', hold.save()];
  for (const state of ['start', 'stop'] as const) yield* runsChange(commands[state], ['command', state]);
  for (const filter of filters) {
    const head = [filter.stream, filter.filter];
    if (filter.markChanged) yield [entryKey('mark', ...head), filter.mark];
    filter.markChanged = false;
    for (const [segment, saved] of filter.recent.changes()) yield [entryKey('recent', ...head, String(segment)), saved];
    for (const action of filter.actions.values()) yield* runsChange(action.open, ['action', ...head, action.action]);
  }
}

/** Takes back what `changesOf` told. */
export function restoreMemory({ hold, commands, filters }: Memory, entries: SavedEntries): void {
  const segments = new Map<FilterState, SavedSegment[]>();
  for (const [key, value] of entries) {
    const [kind, stream = '', name = '', action = ''] = key.split('.');
    // Written by `changesOf`; the version of the state's format vouches for the shapes.
    if (kind === 'hold') hold.restore(value as SavedHold);
    else if (kind === 'command') commands[stream === 'start' ? 'start' : 'stop'].restore(value as SavedRuns);
    else if (kind === 'mark') filters.get(stream, name).mark = value as number;
    else if (kind === 'action') filters.action(filters.get(stream, name), action).open.restore(value as SavedRuns);
    else if (kind === 'recent') {
      const filter = filters.get(stream, name);
      segments.set(filter, [...(segments.get(filter) ?? []), value as SavedSegment]);
    }
  }
  for (const [filter, saved] of segments) filter.recent.restore(saved);
}

function* runsChange(runs: Runs, parts: readonly [string, ...string[]]): Generator<readonly [string, unknown]> {
  if (!runs.changed) return;
  runs.changed = false;
  yield [entryKey(...parts), runs.save()];
}

/** Names are shown as logged and may hold anything but a dot, so a dot keeps them apart. */
function entryKey(...parts: readonly string[]): string {
  return parts.join('.');
}
