import { createHash } from 'node:crypto';
import type { ObjectContent, ObjectFormat } from '../../core/objects/reader.ts';
import { isWithin, type Rejected, type SourceContext } from '../../core/source.ts';
import { usableTime } from '../../lib/delivery.ts';
import { type ArrayElement, splitArray } from '../../lib/json-array.ts';
import { brokenError } from '../../lib/objects/broken.ts';
import { LINE_LIMIT, LineSplitter } from '../../lib/objects/split-lines.ts';
import { digestContent } from './digest.ts';
import { parseTrailKey } from './keys.ts';
import type { Proof } from './proof.ts';
import { type CloudTrailRecord, MALFORMED, parseRecord } from './record.ts';

/** A record as it stands in a file, and what it says. */
export interface TrailItem {
  readonly found: CloudTrailRecord | Rejected;
  readonly text: string;
  /** When the file was last modified, in milliseconds since 1970. */
  readonly arrival: number;
}

/** A record that has more than 1 MiB. */
export const TOO_LONG: Rejected = { rejected: 'too_long' };

type Range = SourceContext<Record<string, never>>['range'];

const NO_RANGE: Range = { since: null, until: null };

/** Log files of CloudTrail; with a `proof`, digest files too, which hold no items. */
export function trailFormat(range: Range, proof: Proof | null): ObjectFormat<TrailItem> {
  return {
    grows: false,
    open: ({ key, modified }) => {
      const place = { arrival: modified, range };
      if (proof === null) return contentOf(place);
      if (parseTrailKey(key)?.kind === 'digest') return digestContent((digest) => proof.readDigest(key, digest));
      return hashed(contentOf(place), (sha256) => proof.readFile(key, sha256));
    },
  };
}

/** The records of a piece of input: a file, or lines that are one record each. Throws for a file that is broken. */
export function* splitInput(input: Buffer, arrival: number): Generator<TrailItem> {
  const trial = splitArray(RECORDS, LINE_LIMIT);
  const isFile = !trial.elements(input).next().done || trial.end() === null;
  if (isFile) {
    const content = contentOf({ arrival, range: NO_RANGE });
    yield* content.items(input);
    yield* content.end();
    return;
  }
  const splitter = new LineSplitter();
  for (const lines of [...splitter.lines(input), splitter.end()]) {
    for (const line of lines) yield itemOf(typeof line === 'string' ? line : null, arrival);
  }
}

/** The time of a record, if it can be used. */
export function timeOf({ found, arrival }: TrailItem): number | null {
  return 'rejected' in found ? null : usableTime(found.time, arrival);
}

const RECORDS = 'Records';

interface Place {
  readonly arrival: number;
  readonly range: Range;
}

function contentOf({ arrival, range }: Place): ObjectContent<TrailItem> {
  const splitter = splitArray(RECORDS, LINE_LIMIT);
  const isLimited = range.since !== null || range.until !== null;
  let length = 0;
  let given = 0;
  let problem: string | null = null;
  const wanted = (item: TrailItem) =>
    // A record without a usable time is as old as its file.
    !isLimited || 'rejected' in item.found || isWithin(timeOf(item) ?? arrival, range);
  return {
    *items(chunk) {
      length += chunk.length;
      if (problem !== null) return;
      for (const element of splitter.elements(chunk)) {
        const item = itemOf(textOf(element), arrival);
        if (item.found === MALFORMED) {
          problem = `found ${JSON.stringify(item.text.slice(0, 80))} in ${RECORDS}, wanted JSON`;
          return;
        }
        if (!wanted(item)) continue;
        given += 1;
        yield item;
      }
    },
    end: () => {
      // Nothing at all is sound, as nothing is missing from it.
      const fault = length === 0 ? null : (problem ?? splitter.end());
      if (fault !== null) throw brokenError(`is no sound log file of CloudTrail: ${fault}`);
      return [];
    },
    get given() {
      return given;
    },
  };
}

function textOf(element: ArrayElement): string | null {
  return element === 'too_long' ? null : element.toString('utf8');
}

/** Null for a text that is too long. */
function itemOf(text: string | null, arrival: number): TrailItem {
  return text === null ? { found: TOO_LONG, text: '', arrival } : { found: parseRecord(text), text, arrival };
}

/** The same content; at its end its SHA-256 is told, in hex. */
function hashed<T>(content: ObjectContent<T>, tell: (sha256: string) => void): ObjectContent<T> {
  const hash = createHash('sha256');
  return {
    items: (chunk) => {
      hash.update(chunk);
      return content.items(chunk);
    },
    get given() {
      return content.given;
    },
    end: () => {
      const last = content.end();
      tell(hash.digest('hex'));
      return last;
    },
  };
}
