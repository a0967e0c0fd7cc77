import { setTimeout as sleep } from 'node:timers/promises';
import { type Collector, startCollector } from './ledger.ts';
import type { Random } from './random.ts';
import type { Story } from './story.ts';
import { eventually, type Home, type Program } from './trailgauge.ts';

/** A program that is killed and started again while two scrapers look on. */
export interface Killing {
  readonly collectors: readonly Collector[];
  /** Where the program listens at the moment; null while it does not. */
  readonly url: () => string | null;
  /** Kills it at some moment of its life and starts it again. */
  strike(): Promise<void>;
  /** Waits until all that was told is counted, collects a last time and ends the scrapers; throws what they found wrong. */
  conclude(): Promise<void>;
}

/** Starts the program, and two scrapers that collect from before the first line on. */
export async function startKilling(home: Home, story: Story, random: Random): Promise<Killing> {
  let program: Program | null = await home.start();
  const url = () => (program?.isListening() ? program.url : null);
  const collector = (name: string) =>
    startCollector({
      name,
      lines: story.lines,
      url,
      pause: () => random.within(0, 40),
    });
  const [a, b] = [collector('a'), collector('b')];
  const collectors = [a, b];
  const failed = async () => {
    try {
      await Promise.race([...collectors.map((collector) => collector.failed), sleep(0)]);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${program?.log()}`, { cause: error });
    }
  };
  await eventually('both scrapers to come', async () => {
    await failed();
    return collectors.every(({ ledger }) => ledger.answers > 0);
  });

  async function strike(): Promise<void> {
    await failed();
    const victim = program;
    const roll = random.next();
    if (roll < 0.4) {
      // While it answers.
      await victim?.ready();
      await Promise.race([random.pick([a, b]).asked(), a.failed, b.failed]);
      await sleep(random.within(0, 12));
    } else if (roll < 0.7) {
      // While it reads.
      await victim?.ready();
      await sleep(random.within(0, 500));
    } else {
      // While it starts, or catches up.
      await sleep(random.within(0, 1_200));
    }
    await victim?.kill();
    program = null;
    if (random.chance(0.4)) await sleep(random.within(0, 400));
    const next = await home.start({ until: 'spawned' });
    for (const { ledger } of collectors) ledger.killed();
    program = next;
  }

  async function conclude(): Promise<void> {
    await program?.ready();
    const state = () => collectors.map(({ ledger }) => ledger.known).join(' and ');
    await eventually(
      () => `all ${story.lines.length} lines to be counted, found ${state()}:\n${program?.log()}`,
      async () => {
        await failed();
        return collectors.every(({ ledger }) => ledger.known === story.lines.length);
      },
    );
    for (const collector of collectors) {
      await collector.end();
      await collector.collect();
    }
  }

  return { collectors, url, strike, conclude };
}
