import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { get } from './http.ts';
import { fixture } from './paths.ts';
import { type Exposition, parseExposition } from './strict-exposition.ts';
import { eventually, type Home, home, type Program } from './trailgauge.ts';

/** A home for the program in which it follows a log file, empty at first. */
export interface Follower extends Home {
  /** The log. */
  readonly log: string;
  /** Appends lines that are all events, and waits until the program has counted them. */
  append(program: Program, ...lines: readonly string[]): Promise<void>;
}

export interface FollowerOptions {
  /** Sections of the configuration beside `sources`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Settings of the source. */
  readonly reaction?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Prepares a program that follows a log, with the configuration of reaction of the fixtures. */
export function follower(t: Test, { config = {}, reaction: more = {}, env = {} }: FollowerOptions = {}): Follower {
  const logs = { file: 'reaction.log' };
  const reaction = { config: fixture('reaction/etc'), command: fixture('reaction/reaction'), logs, ...more };
  const place = home(t, { ...config, sources: { reaction } }, env);
  const log = join(place.folder, 'reaction.log');
  writeFileSync(log, '');
  return {
    ...place,
    log,
    append: async (program, ...lines) => {
      const before = (await statusOf(program)).sources[0].events;
      appendFileSync(log, lines.map((line) => `${line}\n`).join(''));
      await eventually(
        `${lines.length} lines to be counted`,
        async () => (await statusOf(program)).sources[0].events === before + lines.length,
      );
    },
  };
}

/** What `/api/v1/status` says, as far as it is used here. */
export interface StatusAnswer {
  readonly sources: readonly [{ readonly name: string; readonly events: number; readonly rejected: number }];
  readonly scrapers: readonly { readonly id: string }[];
}

/** Asks for the status: unlike a scrape, this takes nothing from anybody. */
export async function statusOf({ url }: Program): Promise<StatusAnswer> {
  const { text } = await get(`${url}/api/v1/status`);
  // The program's own answer; its shape has a test of its own.
  return JSON.parse(text) as StatusAnswer;
}

/** What is shown to the scraper of this name. */
export async function scrape({ url }: Program, name: string): Promise<Exposition> {
  const answer = await get(`${url}/metrics?scraper=${encodeURIComponent(name)}`);
  if (answer.status !== 200) throw new Error(`found status ${answer.status}: ${answer.text}`);
  return parseExposition(answer.text);
}

/** The sum of all samples of a metric. */
export function sumOf(exposition: Exposition, name: string): number {
  return (exposition.families.get(name)?.samples ?? []).reduce((total, { value }) => total + value, 0);
}
