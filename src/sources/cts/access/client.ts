import { setTimeout as sleep } from 'node:timers/promises';
import { isTimeout } from '../../../lib/timeout.ts';
import type { CtsSettings } from '../settings.ts';
import { ServiceClock } from './clock.ts';
import type { Failure, Tried } from './failure.ts';
import { Lister } from './lister.ts';
import { Prover } from './proof.ts';
import { SignIn } from './sign-in.ts';
import { type RequestReport, Transport } from './transport.ts';

/** What is asked for. */
export interface TraceQuery {
  /** Milliseconds since 1970; both ends are exclusive. */
  readonly from: number;
  readonly to: number;
  /** Marker of the page before. */
  readonly next: string | null;
}

/** A page of traces. */
export interface TracePage {
  readonly items: readonly unknown[];
  /** What to ask for next with; null if that is all. */
  readonly marker: string | null;
  /** The service's clock when it arrived, in milliseconds since 1970. */
  readonly at: number;
  /** Of the body. */
  readonly bytes: number;
  /** How many traces were asked for at most. */
  readonly limit: number;
}

/** Where traces are asked for. */
export interface Place {
  /** Address of the service, without version and project. */
  readonly base: string;
  /** Empty where nothing tells it. */
  readonly region: string;
  readonly projectId: string;
  readonly projectName: string | null;
  readonly domainId: string | null;
  /** `{base}/v2.0/{projectId}/`: where traces come from, in CloudEvents. */
  readonly origin: string;
}

export interface CtsClient {
  /** The service's clock: the own clock and how far the service was ahead of it in its last answer. */
  now(): number;
  /** Signs in if need be; where traces are asked for. The clock is known after it. */
  place(signal: AbortSignal): Promise<Place>;
  /**
   * One page; it is asked for again after failures. `undecodable`: five answers could not be read, the text says why.
   * Throws when it gives up (never, if it is to follow), or the reason of the signal; if that is a time that was over, what
   * was waited for.
   */
  list(query: TraceQuery, signal: AbortSignal): Promise<TracePage | { readonly undecodable: string }>;
  close(): Promise<void>;
}

export interface CtsClientOptions {
  readonly settings: CtsSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  /** Goes on for ever; otherwise a refusal ends it at once, and other failures after 10 tries or 5 min. */
  readonly follow: boolean;
  /** Other than 5 min. */
  readonly patienceMs?: number;
  readonly onRequest?: (report: RequestReport) => void;
  /** What keeps it from reading, or null once it reads. */
  readonly onProblem?: (text: string | null) => void;
  /** A request has failed, and was not put right at once by a new token or another way to ask. */
  readonly onError?: (text: string) => void;
  /** When the token expires, in milliseconds since 1970. */
  readonly onTokenExpiry?: (time: number) => void;
  /** Waits; rejects when the signal ends it. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly random?: () => number;
}

/** Opens a client; nothing is read or asked before it is needed. It does one thing at a time. */
export function openCtsClient(options: CtsClientOptions): CtsClient {
  const { settings, env, now, delay = defaultDelay, onRequest = ignore, onTokenExpiry = ignore } = options;
  const onError = options.onError ?? ignore;
  const clock = new ServiceClock(now);
  const transport = new Transport({ timeoutMs: settings.timeoutMs, now, clock, delay, onRequest });
  const prover = new Prover({ signing: settings.auth.signing, clock, transport });
  const signIn = new SignIn({ settings, env, clock, transport, prover, onTokenExpiry, onError });
  const lister = new Lister({ settings, clock, prover, signIn, onError });
  const persistence = { ...options, delay, onError };
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(ignore);
    return result;
  };
  return {
    now: () => clock.now(),
    place: (signal) =>
      alone(async () => {
        if (signIn.place) return signIn.place;
        return persist(async () => placed(await signIn.session(signal)), signal, persistence);
      }),
    list: (query, signal) =>
      alone(() => {
        const attempt = lister.begin(query);
        return persist(() => attempt(signal), signal, persistence);
      }),
    close: async () => transport.close(),
  };
}

const MOST_TRIES = 10;
const LONGEST_MS = 300_000;

interface Persistence extends CtsClientOptions {
  readonly delay: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly onError: (text: string) => void;
}

/** Tries again until it succeeds, or gives up. */
async function persist<T>(attempt: () => Promise<Tried<T>>, signal: AbortSignal, options: Persistence): Promise<T> {
  const { now, follow, patienceMs = LONGEST_MS, delay, onError, onProblem = ignore, random = Math.random } = options;
  const began = now();
  const counts = { again: 0, hold: 0, refused: 0 };
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    const tried = await attempt();
    if (tried.ok) {
      onProblem(null);
      return tried.value;
    }
    if (signal.aborted) throw isTimeout(signal.reason) ? new Error(tried.text) : signal.reason;
    onError(tried.text);
    onProblem(tried.text);
    const waitMs = waitOf(tried, counts[tried.kind]++, random);
    const isLate = now() + waitMs - began > patienceMs;
    if (!follow && (tried.final || tries >= MOST_TRIES || isLate)) throw new Error(tried.text);
    await delay(waitMs, signal);
  }
}

/** Milliseconds to wait before the next try: 0.5 s, doubling to 60 s, a fifth more or less; 1 min to 15 min if refused. */
function waitOf({ kind, atLeastMs }: Failure, repeat: number, random: () => number): number {
  if (kind !== 'again') return Math.min(900_000, 60_000 * 2 ** Math.min(repeat, 10));
  const full = Math.min(60_000, 500 * 2 ** Math.min(repeat, 20));
  return Math.max(full * (0.8 + 0.4 * random()), atLeastMs ?? 0);
}

function placed(tried: Awaited<ReturnType<SignIn['session']>>): Tried<Place> {
  return tried.ok ? { ok: true, value: tried.value.place } : tried;
}

function defaultDelay(ms: number, signal: AbortSignal): Promise<unknown> {
  return sleep(ms, undefined, { signal });
}

function ignore(): void {}
