import type { Remark, SavedEntries, SourceReport } from '../../core/source.ts';
import { Chains, chainName } from './chains.ts';
import { Claims } from './claims.ts';
import type { Digest } from './digest.ts';
import { parseTrailKey } from './keys.ts';

export interface ProofOptions {
  /** The folder that keys begin with, before `AWSLogs/`. */
  readonly head: string;
  /** Whether the records of a file were counted. */
  readonly isCounted: (key: string) => boolean;
  readonly follow: boolean;
  readonly report: Pick<SourceReport, 'error'>;
  readonly now: () => number;
}

/** What has been proven to be read should not be older, in milliseconds: digest files come hourly. */
const BEHIND_MS = 6 * 3_600_000;
const REMARKS = 20;

/**
 * Proves by digest files that all was read: which files they list, and with which content. What is told by `readFile` and
 * `readDigest` holds once `conclude` says that it counts.
 */
export class Proof {
  readonly #options: ProofOptions;
  readonly #chains: Chains;
  readonly #claims: Claims;
  #pending: (() => void) | null = null;

  constructor(options: ProofOptions) {
    const { report, now, follow } = options;
    this.#options = options;
    this.#chains = new Chains({ report, now, follow });
    this.#claims = new Claims({ report, now, follow, onLost: (claim) => this.#chains.leaveOut(claim) });
  }

  /** A log file was read to its end; `sha256` of its content, in hex. */
  readFile(key: string, sha256: string): void {
    this.#pending = () => this.#claims.meet(key, sha256);
  }

  /** A digest file was read to its end. */
  readDigest(key: string, digest: Digest): void {
    const place = parseTrailKey(key);
    if (!place) return;
    this.#pending = () => {
      const chain = chainName(place);
      this.#chains.add(chain, digest);
      for (const { key: told, sha256 } of digest.files) {
        const file = this.#localKey(told);
        const isCounted = this.#options.isCounted(file);
        this.#claims.add(file, { sha256, chain, from: digest.start, to: digest.end }, isCounted);
      }
    };
  }

  /** What was read counts, or never will. */
  conclude(counted: boolean): void {
    if (counted) this.#pending?.();
    this.#pending = null;
  }

  /** Keys that digest files list and that are to be looked for now; each has to be answered by `found`. */
  wanted(): readonly string[] {
    this.#claims.sweep();
    this.#chains.sweep();
    return this.#claims.wanted();
  }

  /** What became of a look for a key. `old`: from before anything was wanted. */
  found(key: string, what: 'there' | 'missing' | 'old'): void {
    this.#claims.looked(key, what);
  }

  /** Whether there are keys that have not been looked for. */
  hasWanted(): boolean {
    return this.#claims.hasFresh();
  }

  remarks(): readonly Remark[] {
    const proven = this.#chains.provenUntil(this.#claims.oldest());
    const faults = [...this.#claims.faults(), ...this.#chains.gaps()].map((text) => ({ text, bad: true }));
    const shown = faults.slice(0, REMARKS);
    if (faults.length > REMARKS) shown.push({ text: `${faults.length - REMARKS} more faults of digests`, bad: true });
    if (proven === null) return [{ text: 'no digest file has been read yet', bad: false }, ...shown];
    const bad = this.#options.now() - proven.until > BEHIND_MS;
    const where = bad ? `; ${proven.chain} is the furthest behind` : '';
    const text = `digests prove that all is read that came before ${new Date(proven.until).toISOString()}${where}`;
    return [{ text, bad }, ...shown];
  }

  takeChanges(): SavedEntries {
    return [...this.#chains.takeChanges(), ...this.#claims.takeChanges()];
  }

  restore(entries: SavedEntries): void {
    this.#chains.restore(entries);
    this.#claims.restore(entries);
  }

  /** A key as a digest tells it, where it lies here: a folder may hold a copy from below the trail's prefix on. */
  #localKey(key: string): string {
    const place = parseTrailKey(key);
    return place ? this.#options.head + key.slice(place.prefix.length) : key;
  }
}
