import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Data, Event, Party } from '../../core/event.ts';
import type { FilterShape } from './filters.ts';
import { matchValues } from './filters.ts';
import type { Line } from './lines.ts';
import type { ReactionLine } from './parse.ts';

/** What an event is made of. */
export interface EventParts {
  readonly line: Line;
  readonly parsed: ReactionLine;
  /** Of the filter of a match; null if there is none. */
  readonly shape: FilterShape | null;
  /** Name of the source. */
  readonly source: string;
  readonly now: number;
}

/** A line as the record that writers take: raw values, whatever `transform` makes of them for the metrics. */
export function toEvent({ line, parsed, shape, source, now }: EventParts): Event {
  const base = { id: eventId(line), time: line.time ?? now, source };
  switch (parsed.kind) {
    case 'match': {
      const patterns = matchPatterns(parsed, shape);
      const actor = addressOf(Object.values(patterns));
      const { stream, filter } = parsed;
      return {
        ...base,
        action: 'match',
        outcome: 'ok',
        ...(actor && { actor }),
        target: filterParty(stream, filter),
        scope: streamParty(stream),
        data: { stream, filter, patterns },
      };
    }
    case 'action': {
      const { stream, filter, action, failed, code } = parsed;
      return {
        ...base,
        action: 'action',
        outcome: failed ? 'failed' : 'ok',
        target: { type: 'action', id: `${stream}.${filter}.${action}`, name: action },
        scope: streamParty(stream),
        data: { stream, filter, action, code, args: argsOf(parsed) },
      };
    }
    case 'command': {
      const { state, command, failed, code } = parsed;
      return {
        ...base,
        action: 'command',
        outcome: failed ? 'failed' : 'ok',
        target: { type: 'command', id: command },
        data: { state, command, code, args: argsOf(parsed) },
      };
    }
    case 'stream': {
      const { stream, type } = parsed;
      const outcome = type === 'start' ? 'ok' : 'failed';
      return { ...base, action: 'stream', outcome, target: streamParty(stream), data: { stream, type } };
    }
  }
}

/** A file that was cut short may get the same line at the same place again: its time, if it has one, tells them apart. */
function eventId({ origin, at, text, told }: Line): string {
  const place = told === null ? `${origin.cursor}\n${at}` : `${origin.cursor}\n${at}\n${told}`;
  return createHash('sha256').update(`${place}\n${text}`).digest('base64url').slice(0, 27);
}

function matchPatterns(parsed: ReactionLine & { kind: 'match' }, shape: FilterShape | null): Record<string, string> {
  const values = shape && matchValues(parsed, shape);
  if (!shape || !values) return {};
  return Object.fromEntries(shape.patterns.map((name, index) => [name, values[index] ?? '']));
}

function argsOf({ values, raw }: { readonly values: readonly string[] | null; readonly raw: string | null }): Data {
  return values ?? raw;
}

function addressOf(values: readonly string[]): Party | null {
  const address = values.find((value) => isIP(value) !== 0);
  return address === undefined ? null : { type: 'address', id: address, address };
}

function filterParty(stream: string, filter: string): Party {
  return { type: 'filter', id: `${stream}.${filter}`, name: filter };
}

function streamParty(stream: string): Party {
  return { type: 'stream', id: stream, name: stream };
}
