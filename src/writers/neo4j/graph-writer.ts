import type { Event } from '../../core/event.ts';
import type { OpenedWriter, WriterContext, Written } from '../../core/writer.ts';
import { durationMs } from '../../lib/duration.ts';
import { held, type Postponed, startTally } from '../tally.ts';
import { cloudtrace } from './cloudtrace.ts';
import { type Neo4jConfig, passwordOf, targetOf } from './config.ts';
import { judgeError } from './errors.ts';
import { hinted } from './hints.ts';
import { type LinkOptions, openLink } from './link.ts';
import type { Model } from './model.ts';
import { startRetention } from './retention.ts';
import { schemaOf } from './schema.ts';
import { trails } from './trails.ts';
import { tryWriting, writeEvents } from './transaction.ts';
import { timeLimit, within } from './within.ts';
import { patience, writeGraph } from './write.ts';

/** A password that was refused is tried again after so long; another one at once. */
const REFUSED_MS = 60_000;

/** Opens the writer; the first event connects it. */
export function openGraphWriter(config: Neo4jConfig, context: WriterContext): OpenedWriter {
  const { log, now } = context;
  const model = modelOf(config);
  const options = linkOptions(config, context);
  const { timeoutMs } = options;
  const link = openLink(options, schemaOf(model, log));
  const retention =
    config.retention === null
      ? null
      : startRetention({ ageMs: durationMs(config.retention), timeoutMs, connect: link.connect, now, log });
  const tries = patience();
  let refused: Refusal | null = null;

  /** Null if the password may be tried. */
  const waiting = async (): Promise<Postponed | null> => {
    if (!refused || now() >= refused.until) return null;
    return (await options.readPassword()) === refused.password ? held(refused.text) : null;
  };
  const note = async (error: unknown) => {
    const { isSecret, text } = judgeError(error);
    if (isSecret) refused = { password: await options.readPassword(), until: now() + REFUSED_MS, text };
  };
  const attempt = async (events: readonly Event[], signal: AbortSignal): Promise<Written> => {
    const limits = { ms: timeLimit(timeoutMs), signal };
    const session = (await within(link.connect(), limits)).session();
    try {
      return await writeGraph(events, {
        transact: async (some) => {
          signal.throwIfAborted();
          return within(writeEvents(session, model, some, timeoutMs), limits).catch(async (error: unknown) => {
            await note(error).catch(() => {});
            throw error;
          });
        },
        probe: () => within(tryWriting(session, timeoutMs), limits),
        patience: tries,
      });
    } finally {
      session.close().catch(() => {});
    }
  };

  return {
    write: async (events, signal) => {
      const places = events.flatMap((event, place) => (model.takes(event) ? [place] : []));
      if (places.length === 0) return { kind: 'done', dead: [] };
      const taken = places.map((place) => events[place]!);
      let written: Written;
      try {
        const postponed = await waiting();
        written = postponed ? startTally().written(postponed) : await attempt(taken, signal);
      } catch (error) {
        await note(error).catch(() => {});
        written = startTally().written(postponedBy(error));
      }
      if (written.kind === 'done') return placed(written, places, events.length);
      link.forget();
      return placed({ ...written, text: hinted(written.text) }, places, events.length);
    },
    close: async () => {
      retention?.stop();
      await link.close();
    },
  };
}

/** What connects to the server of a configuration. */
export function linkOptions(config: Neo4jConfig, { env }: Pick<WriterContext, 'env'>): LinkOptions {
  const { database, ca } = config;
  return {
    ...targetOf(config, env),
    database,
    ca,
    timeoutMs: durationMs(config.timeout),
    readPassword: () => passwordOf(config, env),
    env,
  };
}

interface Refusal {
  readonly password: string | null;
  readonly until: number;
  readonly text: string;
}

function modelOf({ model }: Neo4jConfig): Model {
  return model === 'trails' ? trails : cloudtrace;
}

/** Why there is no connection: a secret or certificate that cannot be read is for somebody to put right. */
function postponedBy(error: unknown): Postponed {
  const { kind, text } = judgeError(error);
  const isFile = /^(?:secret|ca): /.test(text);
  return kind === 'hold' || isFile ? held(text) : { waitMs: 0, hold: false, text };
}

/** The places of those that were taken as places of all; those that were not are settled. */
function placed(written: Written, places: readonly number[], all: number): Written {
  const dead = written.dead.map((refused) => ({ ...refused, index: places[refused.index] ?? -1 }));
  if (written.kind === 'done') return { ...written, dead };
  const left = new Set(places);
  for (const index of written.settled) left.delete(places[index] ?? -1);
  const settled = Array.from({ length: all }, (_, place) => place).filter((place) => !left.has(place));
  return { ...written, dead, settled };
}
