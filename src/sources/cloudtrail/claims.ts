import type { SavedEntries, SourceReport } from '../../core/source.ts';
import type { Unproven } from './chains.ts';

/** What a digest says of a file: the SHA-256 of its content in hex, and the time that the digest tells of. */
export interface Claim extends Unproven {
  readonly sha256: string;
}

export interface ClaimsOptions {
  readonly report: Pick<SourceReport, 'error'>;
  readonly now: () => number;
  readonly follow: boolean;
  /** Told of a claim that was given up. */
  readonly onLost: (claim: Claim) => void;
}

type Problem = '' | 'missing' | 'wrong';

interface Open {
  readonly claim: Claim;
  /** When the digest was read, in milliseconds since 1970. */
  readonly since: number;
  readonly problem: Problem;
  /** When to look for the file again. */
  readonly next: number;
  readonly isFresh: boolean;
}

const HASH = 'hash ';
const CLAIM = 'claim ';
/** A file is looked for again so often; more seldom if it was not there. */
const AGAIN_MS = 300_000;
const AGAIN_MISSING_MS = 3_600_000;
/** Files that are looked for in one round. */
const AT_ONCE = 100;
/** A claim is given up after so long. */
const CLAIM_MS = 7 * 86_400_000;
const MOST_CLAIMS = 100_000;
/** The content of a file is remembered until its digest comes, for so long at most. */
const HASH_MS = 3 * 86_400_000;
const MOST_HASHES = 200_000;

/** What digests say of files, as far as it has not been found to be so, and the content of files whose digest is to come. */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #open = new Map<string, Open>();
  /** By key, the oldest first. */
  readonly #hashes = new Map<string, readonly [sha256: string, time: number]>();
  #changed = new Map<string, unknown>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** Takes up a claim, unless it is met: `isCounted` for a file whose records are. */
  add(key: string, claim: Claim, isCounted: boolean): void {
    const known = this.#hashes.get(key)?.[0];
    const open = this.#open.get(key);
    if (open?.problem === 'wrong' && open.claim.sha256 === claim.sha256) return;
    // Of what was counted before there was a proof, the content is not known.
    if (known === claim.sha256 || (known === undefined && isCounted)) this.#settle(key);
    else if (known !== undefined) this.#refute(key, claim);
    else {
      const now = this.#options.now();
      for (const oldest of this.#open.keys()) {
        if (this.#open.size < MOST_CLAIMS) break;
        this.#giveUp(oldest);
      }
      this.#set(key, { claim, since: now, problem: '', next: now, isFresh: true });
    }
  }

  /** A file with this content counts. */
  meet(key: string, sha256: string): void {
    const open = this.#open.get(key);
    if (open && open.claim.sha256 === sha256) this.#settle(key);
    else if (open) this.#refute(key, open.claim);
    else this.#remember(key, sha256);
  }

  /** What became of a look for a key. */
  looked(key: string, what: 'there' | 'missing' | 'old'): void {
    const open = this.#open.get(key);
    if (!open) return;
    const { now, report } = this.#options;
    if (what === 'old') this.#settle(key);
    else if (what === 'there') this.#set(key, { ...open, problem: '', next: now() + AGAIN_MS, isFresh: false });
    else {
      if (open.problem !== 'missing') report.error(`a digest file lists ${key}, which is not there`);
      this.#set(key, { ...open, problem: 'missing', next: now() + AGAIN_MISSING_MS, isFresh: false });
    }
  }

  wanted(): readonly string[] {
    const { now, follow } = this.#options;
    const due = [...this.#open].filter(([, { problem, next, isFresh }]) => {
      return problem !== 'wrong' && (follow ? next <= now() : isFresh || problem === '');
    });
    return due.map(([key]) => key).slice(0, follow ? AT_ONCE : undefined);
  }

  hasFresh(): boolean {
    for (const { isFresh } of this.#open.values()) if (isFresh) return true;
    return false;
  }

  /** The first time that claims tell of, by chain. */
  oldest(): ReadonlyMap<string, number> {
    const least = new Map<string, number>();
    for (const { claim } of this.#open.values()) {
      least.set(claim.chain, Math.min(claim.from, least.get(claim.chain) ?? Number.POSITIVE_INFINITY));
    }
    return least;
  }

  faults(): readonly string[] {
    return [...this.#open].flatMap(([key, { problem }]) => {
      if (problem === 'missing') return [`missing, though a digest file lists it: ${key}`];
      return problem === 'wrong' ? [`not the content that a digest file tells of: ${key}`] : [];
    });
  }

  sweep(): void {
    const now = this.#options.now();
    for (const [key, { since }] of this.#open) if (since < now - CLAIM_MS) this.#giveUp(key);
    for (const [key, [, time]] of this.#hashes) {
      if (time > now - HASH_MS && this.#hashes.size <= MOST_HASHES) break;
      this.#forget(key);
    }
  }

  takeChanges(): SavedEntries {
    const changes = [...this.#changed];
    this.#changed = new Map();
    return changes;
  }

  restore(entries: SavedEntries): void {
    const hashes: [string, readonly [string, number]][] = [];
    for (const [key, value] of entries) {
      // Written by `#remember` and `#set`.
      if (key.startsWith(HASH)) hashes.push([key.slice(HASH.length), value as readonly [string, number]]);
      if (!key.startsWith(CLAIM)) continue;
      const [sha256, chain, from, to, since, problem] = value as [string, string, number, number, number, Problem];
      const next = this.#options.now();
      this.#open.set(key.slice(CLAIM.length), {
        claim: { sha256, chain, from, to },
        since,
        problem,
        next,
        isFresh: problem === '',
      });
    }
    for (const [key, hash] of hashes.sort((a, b) => a[1][1] - b[1][1])) this.#hashes.set(key, hash);
  }

  #refute(key: string, claim: Claim): void {
    const { report, now } = this.#options;
    report.error(`${key} has not the content that a digest file tells of: it was changed, or damaged`);
    this.#forget(key);
    this.#set(key, { claim, since: now(), problem: 'wrong', next: Number.POSITIVE_INFINITY, isFresh: false });
  }

  #settle(key: string): void {
    this.#forget(key);
    if (this.#open.delete(key)) this.#change(CLAIM + key, undefined);
  }

  #giveUp(key: string): void {
    const open = this.#open.get(key);
    this.#settle(key);
    if (open) this.#options.onLost(open.claim);
  }

  #set(key: string, open: Open): void {
    this.#open.set(key, open);
    const { claim, since, problem } = open;
    this.#change(CLAIM + key, [claim.sha256, claim.chain, claim.from, claim.to, since, problem]);
  }

  #remember(key: string, sha256: string): void {
    const kept = [sha256, this.#options.now()] as const;
    this.#hashes.delete(key);
    this.#hashes.set(key, kept);
    this.#change(HASH + key, kept);
  }

  #forget(key: string): void {
    if (this.#hashes.delete(key)) this.#change(HASH + key, undefined);
  }

  /** Without following nothing is saved. */
  #change(key: string, value: unknown): void {
    if (this.#options.follow) this.#changed.set(key, value);
  }
}
