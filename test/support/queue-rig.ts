import { type Cell, mergeCells } from '../../src/core/cells.ts';
import type { Event } from '../../src/core/event.ts';
import { Queue } from '../../src/core/queue.ts';
import type { QueueReader } from '../../src/core/queue-reader.ts';
import type { Spool } from '../../src/core/spool.ts';
import type { Block, BlockStore } from '../../src/core/state.ts';
import { MemoryCells } from './cells.ts';

/** An event that can be told from others. */
export function event(id: string, more: Partial<Event> = {}): Event {
  return { id, time: 1_000, source: 'test', action: 'test', outcome: 'ok', data: {}, ...more };
}

/** What is on disk: it outlives a queue. */
export class Disk implements BlockStore {
  readonly cells = new MemoryCells();
  readonly blocks = new Map<number, Buffer>();
  /** Bytes are put in vain while set. */
  failing = false;
  puts = 0;

  blockIds(): readonly number[] {
    return [...this.blocks.keys()].sort((a, b) => a - b);
  }

  block(id: number): Buffer | null {
    return this.blocks.get(id) ?? null;
  }

  async putBlock({ id, bytes }: Block): Promise<void> {
    this.puts += 1;
    if (this.failing) throw new Error('full');
    this.blocks.set(id, Buffer.from(bytes));
  }

  async removeBlocks(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.blocks.delete(id);
  }
}

/** A writer as the queue sees it. */
export interface RigReader {
  readonly name: string;
  /** None: all. */
  readonly sources?: readonly string[];
  readonly limit?: number;
}

export interface RigOptions {
  readonly readers: readonly RigReader[];
  readonly sources?: readonly string[];
}

/** What was given up, by reader: counted with the state, as metrics are. */
export interface Counts {
  readonly dropped: Map<string, number>;
  readonly lost: Map<string, number>;
  /** Events that were settled. */
  readonly settled: Map<string, number>;
}

/** A queue in one life of a process. */
export interface QueueRig {
  readonly queue: Queue;
  readonly readers: ReadonlyMap<string, QueueReader>;
  readonly live: ReadonlyMap<string, Spool | null>;
  readonly counts: Counts;
  /** Commits as the keeper does; `fails` leaves it to the next, `dies` is the end after it is on disk. */
  commit(how?: 'works' | 'fails' | 'dies'): void;
  settle(reader: string, events: number): void;
}

/** A queue over what is on disk. */
export async function queueRig(disk: Disk, { readers, sources = ['a', 'b'] }: RigOptions): Promise<QueueRig> {
  const queue = new Queue(disk);
  const saved = disk.cells.load();
  queue.restore(saved);
  const count = (kind: string) => new Map((saved.under('count', kind)[0]?.[1] ?? []) as [string, number][]);
  const counts: Counts = { dropped: count('dropped'), lost: count('lost'), settled: count('settled') };
  const add = (counted: Map<string, number>, name: string, by: number) =>
    counted.set(name, (counted.get(name) ?? 0) + by);
  const opened = readers.map(({ name, sources: wanted, limit = 1e9 }) => {
    const reader = queue.reader({
      name,
      wants: (source) => !wanted || wanted.includes(source),
      limit,
      onDropped: (events) => add(counts.dropped, name, events),
      onLost: (events) => add(counts.lost, name, events),
    });
    return [name, reader] as const;
  });
  await queue.begin();
  const byName = new Map(opened);
  let failed: { cells: readonly Cell[]; blocks: readonly Block[] } = { cells: [], blocks: [] };
  return {
    queue,
    readers: byName,
    live: new Map(sources.map((source) => [source, queue.live(source)])),
    counts,
    commit: (how = 'works') => {
      const { cells, blocks } = queue.take();
      const counted = Object.entries(counts).map(([kind, map]): Cell => [['count', kind], [...map]]);
      const all = {
        cells: mergeCells(failed.cells, [...cells, ...counted]),
        blocks: [...failed.blocks, ...blocks],
      };
      failed = all;
      if (how === 'fails') return;
      failed = { cells: [], blocks: [] };
      disk.cells.save(all.cells);
      for (const { id, bytes } of all.blocks) disk.blocks.set(id, Buffer.from(bytes));
      if (how === 'works') queue.committed();
    },
    settle: (name, events) => {
      byName.get(name)?.settle(events);
      add(counts.settled, name, events);
    },
  };
}

/** The ids of what a reader gives. */
export function taken(reader: QueueReader | undefined, events = 1_000_000): readonly string[] {
  return (reader?.take({ events, bytes: 1e12 }) ?? []).map(({ id }) => id);
}
