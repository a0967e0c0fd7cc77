import type { StoredObject } from '../../lib/objects/store.ts';
import type { Remark, SourceReport } from '../source.ts';
import { entryOf, type Ledger, type LedgerEntry, type ObjectState } from './ledger.ts';

/** Tries of an object that is broken; without waiting, where nothing is followed. */
const TRIES = 6;
const TRIES_ONCE = 2;
const LONGEST_RETRY_MS = 3_600_000;
const REMARKS = 20;

export interface BrokenOptions {
  readonly follow: boolean;
  /** Before the second try; doubled with each one. */
  readonly intervalMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly problem: string;
}

/** The entry of an object whose content turned out to be broken: it is to be tried again, or was tried often enough. */
export function brokenEntry(object: StoredObject, known: LedgerEntry | null, options: BrokenOptions): LedgerEntry {
  const { follow, intervalMs, now, problem } = options;
  const isSame = known?.etag === object.etag && known.size === object.size;
  const tries = (isSame ? known.tries : 0) + 1;
  const state = tries >= (follow ? TRIES : TRIES_ONCE) ? 'quarantined' : 'failed';
  const next = follow ? now + Math.min(intervalMs * 2 ** (tries - 1), LONGEST_RETRY_MS) : 0;
  return { ...entryOf(object, known), state, tries, next, problem };
}

/** Counts objects that are given up as failures of reading, for sources that have no metric of their own for them. */
export function reportGivenUp(report: SourceReport): (result: ObjectState) => void {
  return (result) => {
    if (result === 'quarantined') report.error('an object was tried often enough, and is not read');
  };
}

/** Objects that were tried often enough, for the status page. */
export function quarantineRemarks(ledger: Ledger): readonly Remark[] {
  const bad = [...ledger.inState('quarantined')].map(([key, { problem }]) => ({
    text: `quarantined: ${key}: ${problem}`,
    bad: true,
  }));
  if (bad.length <= REMARKS) return bad;
  return [...bad.slice(0, REMARKS), { text: `quarantined: ${bad.length - REMARKS} more`, bad: true }];
}
