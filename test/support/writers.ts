import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import type { Test } from 'tap';
import type { Event } from '../../src/core/event.ts';
import type { Finding } from '../../src/core/source.ts';
import type { AnyWriter, OpenedWriter, WriterConfig, WriterContext, Written } from '../../src/core/writer.ts';

/** What a writer is opened with in a test. */
export interface WriterRig {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdout?: NodeJS.WritableStream;
  /** Takes what is logged, a line each. */
  readonly log?: string[];
}

/** The configuration of a writer, completed; throws with all that is wrong. */
export function configOf(spec: AnyWriter, section: unknown): WriterConfig {
  const result = spec.config.safeParse(section);
  if (result.success) return result.data;
  throw new Error(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

/** Opens a writer, and closes it at the end of the test. */
export function openWriter(t: Test, spec: AnyWriter, section: unknown, rig: WriterRig = {}): OpenedWriter {
  const writer = spec.open(configOf(spec, section), contextOf(spec, rig));
  t.teardown(() => writer.close());
  return writer;
}

/** Writes with a signal that is not given. */
export function writeAll(writer: OpenedWriter, events: readonly Event[]): Promise<Written> {
  return writer.write(events, new AbortController().signal);
}

/** What `doctor` would be told. */
export async function findingsOf(spec: AnyWriter, section: unknown, rig: WriterRig = {}): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const checks = spec.check(configOf(spec, section), contextOf(spec, rig), new AbortController().signal);
  for await (const finding of checks) findings.push(finding);
  return findings;
}

/** What became of events that were given until none waits any more, without any wait between. */
export interface Delivered {
  /** Events that are stored, or were said to be. */
  readonly done: number;
  readonly dead: readonly { readonly id: string; readonly reason: string; readonly text: string }[];
  readonly dropped: number;
  /** The waits that were asked for, in milliseconds. */
  readonly waits: readonly number[];
  readonly texts: readonly string[];
}

/** Gives a writer events as the delivery loop does: what is not settled comes again, in its order. */
export async function deliver(writer: OpenedWriter, events: readonly Event[], tries = 100): Promise<Delivered> {
  let left = [...events];
  const told = { dead: [] as Delivered['dead'][number][], dropped: 0, waits: [] as number[], texts: [] as string[] };
  for (let attempt = 0; attempt < tries; attempt++) {
    const written = await writeAll(writer, left);
    for (const { index, reason, text } of written.dead) told.dead.push({ id: left[index]?.id ?? '', reason, text });
    told.dropped += written.dropped ?? 0;
    if (written.kind === 'done') return { ...told, done: events.length - told.dead.length - told.dropped };
    told.waits.push(written.waitMs);
    told.texts.push(written.text);
    const settled = new Set(written.settled);
    left = left.filter((_, index) => !settled.has(index));
  }
  throw new Error(`${left.length} events still wait: ${told.texts.at(-1)}`);
}

function contextOf({ type }: AnyWriter, { env = {}, stdout, log = [] }: WriterRig): WriterContext {
  return { name: type, env, now: Date.now, log: loggerInto(log), ...(stdout && { stdout }) };
}

function loggerInto(lines: string[]): Logger {
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return pino({ level: 'debug' }, stream);
}
