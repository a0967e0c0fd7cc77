import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedTransaction, Session } from 'neo4j-driver';
import type { Logger } from 'pino';
import { errorText } from './errors.ts';
import type { Connected } from './link.ts';
import { epochMs } from './texts.ts';
import { RETENTION_STATEMENT } from './trails.ts';
import { timeLimit, within } from './within.ts';

export interface RetentionOptions {
  readonly ageMs: number;
  /** Longest time of a transaction. */
  readonly timeoutMs: number;
  readonly connect: () => Promise<Connected>;
  readonly now: () => number;
  readonly log: Logger;
  /** When the first round begins, in milliseconds from now. */
  readonly firstMs?: number;
}

/** Deletes events as they grow old, until it is closed. */
export interface Retention {
  /** Begins no transaction any more; one that is under way is left to itself. */
  stop(): void;
}

/** Within 20 s of the start. */
const FIRST_MS = 5_000;
const EVERY_MS = 3_600_000;
/** After a round that failed. */
const RETRY_MS = 300_000;

/** Begins soon, then every hour; a round that fails is logged, and made again. */
export function startRetention(options: RetentionOptions): Retention {
  const ending = new AbortController();
  void run(options, ending.signal);
  return { stop: () => ending.abort() };
}

async function run(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const { log, firstMs = FIRST_MS } = options;
  for (let waitMs = firstMs; ; ) {
    await delay(waitMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    try {
      const deleted = await deleteOld(options, signal);
      if (deleted > 0) log.info({ events: deleted }, 'old events were deleted from the graph');
      waitMs = EVERY_MS;
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: errorText(error) }, 'old events cannot be deleted from the graph');
      waitMs = RETRY_MS;
    }
  }
}

/** How many were deleted; in transactions of 5000, so that none takes long or much memory. */
async function deleteOld({ ageMs, timeoutMs, connect, now }: RetentionOptions, signal: AbortSignal): Promise<number> {
  const before = epochMs(now() - ageMs);
  const session = (await connect()).session();
  try {
    for (let total = 0; ; ) {
      const deleted = await within(deleteSome(session, before, timeoutMs), { ms: timeLimit(timeoutMs), signal });
      total += deleted;
      if (deleted === 0 || signal.aborted) return total;
    }
  } finally {
    session.close().catch(() => {});
  }
}

function deleteSome(session: Session, before: bigint, timeoutMs: number): Promise<number> {
  const work = async (transaction: ManagedTransaction) => {
    const { records } = await transaction.run(RETENTION_STATEMENT, { before });
    return Number(records[0]?.get('deleted') ?? 0);
  };
  return session.executeWrite(work, { timeout: timeoutMs });
}
