import { Readable } from 'node:stream';
import type { Finding } from '../core/source.ts';
import { ahead } from '../lib/ahead.ts';
import { timeoutError } from '../lib/timeout.ts';
import { aborted } from './io.ts';

/** Something that `doctor` tries. */
export interface Check {
  readonly name: string;
  /** `heard` is for what takes long: something was answered, of which there is nothing to tell yet. */
  run(signal: AbortSignal, heard: () => void): AsyncIterable<Finding>;
}

export interface ChecksOptions {
  /** Ends all checks at once. */
  readonly signal: AbortSignal;
  /** How long a check may go without an answer, in milliseconds; 10 s, if left out. */
  readonly limitMs?: number;
}

/** What a check told, or that it was stopped before its end. */
export type Told = Finding | 'stopped';

const LIMIT_MS = 10_000;
/** How long a check that is given up may take to say what it waited for. */
const GRACE_MS = 1_000;
const AT_ONCE = 8;
/** Findings of a check that are kept while those before it are waited for; no check has as many. */
const KEPT = 1_000;

/** Runs checks, some of them at once, and gives what they tell in their order, as soon as that can be. */
export async function* runChecks(
  checks: readonly Check[],
  { signal, limitMs = LIMIT_MS }: ChecksOptions,
): AsyncGenerator<readonly [name: string, told: Told]> {
  const begin = async (check: Check) => {
    const stream = Readable.from(limited(check, { signal, limitMs }), { highWaterMark: KEPT });
    // From here on it reads by itself.
    stream.read(0);
    return stream;
  };
  for await (const { item, result } of ahead(checks, AT_ONCE, begin)) {
    for await (const told of await result) yield [item.name, told as Told];
  }
}

/** Never throws. A check that was given up tells no more than why. */
async function* limited({ run }: Check, { signal, limitMs }: Required<ChecksOptions>): AsyncGenerator<Told> {
  const patience = startPatience(signal, limitMs);
  const over = aborted(patience.over).then(() => null);
  let findings: AsyncIterator<Finding> | null = null;
  try {
    signal.throwIfAborted();
    findings = run(patience.signal, patience.heard)[Symbol.asyncIterator]();
    for (;;) {
      patience.heard();
      const step = await Promise.race([findings.next(), over]);
      signal.throwIfAborted();
      if (step === null) throw new Error(`neither an answer nor an error within ${limitMs / 1_000} s; ${SILENT}`);
      if (step.done) return;
      yield step.value;
      if (patience.signal.aborted && !step.value.ok) return;
    }
  } catch (error) {
    yield signal.aborted ? 'stopped' : { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    patience.end();
    // Nobody waits for what it lets go of.
    findings?.return?.().catch(() => {});
  }
}

/** All that goes over a network ends when it is told to. */
const SILENT = 'is a file that it reads a pipe, or on a disk that does not answer?';

interface Patience {
  /** The check is to end. */
  readonly signal: AbortSignal;
  /** The check is waited for no more. */
  readonly over: AbortSignal;
  /** The time begins anew. */
  heard(): void;
  end(): void;
}

function startPatience(stop: AbortSignal, limitMs: number): Patience {
  const late = new AbortController();
  const lost = new AbortController();
  const timers = [
    setTimeout(() => late.abort(timeoutError('no answer', limitMs)), limitMs),
    setTimeout(() => lost.abort(), limitMs + GRACE_MS),
  ];
  return {
    signal: AbortSignal.any([stop, late.signal]),
    over: AbortSignal.any([stop, lost.signal]),
    heard: () => {
      for (const timer of timers) timer.refresh();
    },
    end: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
