import { pino } from 'pino';
import type { ObjectState } from '../../src/core/objects/ledger.ts';
import { lineContent } from '../../src/core/objects/line-content.ts';
import { type ObjectFormat, ObjectReader } from '../../src/core/objects/reader.ts';
import type { SavedEntries } from '../../src/core/source.ts';
import type { Plan } from '../../src/lib/objects/plan.ts';
import type { ObjectStore } from '../../src/lib/objects/store.ts';

/** What is on disk, and what was counted by then: both are written in one go. */
export interface Disk {
  position: unknown;
  readonly entries: Map<string, unknown>;
  readonly lines: string[];
  readonly results: ObjectState[];
}

export interface RigOptions {
  readonly store: ObjectStore;
  readonly plan: Plan;
  readonly now: () => number;
  readonly disk?: Disk;
  readonly follow?: boolean;
  readonly sinceMs?: number;
  readonly intervalMs?: number;
  readonly range?: { readonly since: number | null; readonly until: number | null };
  readonly format?: ObjectFormat<string>;
  readonly signal?: AbortSignal;
  /** Called after each batch; true ends the reading there, as a kill would. */
  readonly onBatch?: (aside: 'more' | 'done' | 'dropped' | undefined) => boolean | undefined;
}

export interface Rig {
  readonly disk: Disk;
  readonly problems: readonly (string | null)[];
  readonly errors: readonly string[];
  readonly reader: ObjectReader<string>;
  /** Reads for as many rounds as there are steps, each called at the end of one; the last one ends the reading. */
  run(...steps: readonly (() => void)[]): Promise<void>;
}

/** An empty disk. */
export function emptyDisk(): Disk {
  return { position: null, entries: new Map(), lines: [], results: [] };
}

/** Lines of objects, which grow. */
export const LINES: ObjectFormat<string> = { grows: true, open: () => lineContent(String) };

/** A reader, with what a pipeline does to it. */
export function readerRig(options: RigOptions): Rig {
  const { disk = emptyDisk(), follow = true, now, onBatch = () => false } = options;
  const { signal = new AbortController().signal } = options;
  const problems: (string | null)[] = [];
  const errors: string[] = [];
  const results: ObjectState[] = [];
  const reader = new ObjectReader<string>({
    store: options.store,
    plan: options.plan,
    format: options.format ?? LINES,
    intervalMs: options.intervalMs ?? 1,
    sinceMs: options.sinceMs ?? 3_600_000,
    context: {
      ...{ follow, now, signal, log: pino({ level: 'silent' }), range: options.range ?? { since: null, until: null } },
      report: {
        problem: (text) => problems.push(text),
        error: (text, cause) => errors.push(`${text}: ${cause instanceof Error ? cause.message : cause}`),
        duplicate: () => {},
      },
    },
    onResult: (result) => results.push(result),
  });
  reader.restore([...disk.entries]);

  function commit(position: unknown, lines: readonly string[]): void {
    disk.position = position;
    for (const line of lines) disk.lines.push(line);
    disk.results.push(...results.splice(0));
    apply(disk.entries, reader.takeChanges());
  }

  return {
    disk,
    problems,
    errors,
    reader,
    run: async (...steps) => {
      let aside: string[] = [];
      let round = 0;
      for await (const batch of reader.read(disk.position)) {
        for (const item of batch.items) aside.push(item);
        if (batch.aside !== 'more') {
          if (batch.aside) reader.conclude(batch.aside === 'done');
          commit(batch.position, batch.aside === 'dropped' ? [] : aside);
          aside = [];
        }
        if (onBatch(batch.aside)) return;
        // The first of them tells the position, before anything was listed.
        const { listed } = batch.position as { readonly listed: number | null };
        if (batch.aside || (follow && listed === null)) continue;
        steps[round]?.();
        round += 1;
        if (follow && round >= steps.length) return;
      }
    },
  };
}

function apply(entries: Map<string, unknown>, changes: SavedEntries): void {
  // As they come back from the disk: nothing may be shared.
  for (const [key, value] of changes) {
    if (value === undefined) entries.delete(key);
    else entries.set(key, structuredClone(value));
  }
}
