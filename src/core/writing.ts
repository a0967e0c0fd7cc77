import type { Logger } from 'pino';
import type { SavedCells } from './cells.ts';
import type { Config } from './config.ts';
import { deadLetters } from './dead-letters.ts';
import { type Delivery, openDelivery } from './delivery.ts';
import type { Registry } from './metrics/registry.ts';
import { Queue } from './queue.ts';
import type { BlockStore } from './state.ts';
import type { AnyWriter, WriterConfig, WriterStatus } from './writer.ts';

export interface WritingOptions {
  /** Sections of the configuration by `TYPE` or `TYPE/NAME`. */
  readonly writers: Config['writers'];
  readonly types: readonly AnyWriter[];
  readonly store: BlockStore;
  readonly saved: SavedCells;
  /** Where refused events are kept. */
  readonly directory: string;
  readonly registry: Registry;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  readonly stdout?: NodeJS.WritableStream;
}

/** All writers, and the queue that leads to them. */
export interface Writing {
  readonly queue: Queue;
  status(): readonly WriterStatus[];
  /** Brings the gauges of what waits up to date. */
  show(): void;
  /** Waits until all is delivered. */
  finish(): Promise<void>;
  /** Ends the writers, each at the latest when its time for that has passed. */
  close(): Promise<void>;
}

/** Opens all writers of the configuration, and goes on with what waits for them. */
export async function openWriting(options: WritingOptions): Promise<Writing> {
  const { writers, types, store, saved, directory, registry, log, ...rest } = options;
  const queue = new Queue(store);
  queue.restore(saved);
  const deliveries = Object.entries(writers).map(([name, config]): Delivery => {
    const spec = types.find(({ type }) => type === name.split('/', 1)[0]);
    if (!spec) throw new Error(`no writer of type ${name}`);
    return openDelivery({
      ...rest,
      name,
      spec,
      // Each section went through its schema, which `writerSection` made.
      config: config as WriterConfig,
      queue,
      registry,
      deadLetters: deadLetters(directory, name),
      log: log.child({ writer: name }),
    });
  });
  await queue.begin();
  for (const delivery of deliveries) delivery.start();
  return {
    queue,
    status: () => deliveries.map((delivery) => delivery.status()),
    show: () => {
      for (const delivery of deliveries) delivery.show();
    },
    finish: async () => {
      await Promise.all(deliveries.map((delivery) => delivery.finish()));
    },
    close: async () => {
      await Promise.all(deliveries.map((delivery) => delivery.close()));
    },
  };
}
