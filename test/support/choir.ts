import type { Random } from './random.ts';
import type { Story, StoryLine } from './story.ts';
import { seriesKey } from './strict-exposition.ts';

/**
 * A log of reaction as a choir: a leader who is always heard, and voices that begin early or late, fall silent and
 * begin again, or are heard but once. `tell` gives the next line that is due, or one of the leader.
 */
export interface Choir extends Story {
  /** Notes what is to be written now, and tells how many lines that is; the first call is the beginning. */
  due(): number;
  /** All but the leader are silent from now on, and all that was noted is told. */
  readonly isOver: boolean;
  /** Counters of all but the leader. */
  readonly gone: readonly string[];
  /** Counters of those who come back when they are recalled. */
  readonly back: readonly string[];
  recall(): void;
}

export interface ChoirOptions {
  readonly random: Random;
  /** How long the voices go on. */
  readonly seconds: number;
}

/** What one voice does at a time. */
type Kind = 'match' | 'run' | 'failure';

interface Voice {
  readonly name: string;
  readonly kind: Kind;
  /** When it is heard, in seconds from the beginning. */
  readonly spans: readonly (readonly [from: number, to: number])[];
  readonly comesBack: boolean;
}

/** Heard again and again. */
const COMERS = 14;
/** Heard in one moment only. */
const ONCE = 14;
const KINDS = ['match', 'run', 'failure'] as const;
const LEADER: Omit<Voice, 'spans' | 'comesBack'> = { name: 'leader', kind: 'match' };

/** Begins a song. */
export function openChoir({ random, seconds }: ChoirOptions): Choir {
  const voices = [
    ...Array.from({ length: COMERS }, (_, index) => comer(index, { random, seconds })),
    ...Array.from({ length: ONCE }, (_, index) => once(index, { random, seconds })),
  ];
  let began: number | null = null;
  const lines: StoryLine[] = [];
  const waiting: StoryLine[] = [];
  const begun = new Set<Voice>();
  let runs = 0;

  function say({ name, kind }: Pick<Voice, 'name' | 'kind'>): StoryLine {
    runs += 1;
    return lineOf(name, kind, runs);
  }

  function due(): number {
    began ??= performance.now();
    const now = (performance.now() - began) / 1_000;
    waiting.push(say(LEADER));
    for (const voice of voices) {
      // On a machine that is busy a whole span may pass between two calls.
      const isHeard = voice.spans.some(([from, to]) => now >= from && now < to);
      const isLate = !begun.has(voice) && now >= voice.spans[0]![0];
      if (!isHeard && !isLate) continue;
      begun.add(voice);
      for (let count = random.within(1, 3); count > 0; count--) waiting.push(say(voice));
    }
    return waiting.length;
  }

  return {
    lines,
    tell: () => {
      const line = waiting.shift() ?? say(LEADER);
      lines.push(line);
      return line;
    },
    restart: () => {},
    due,
    get isOver() {
      const isPast = began !== null && performance.now() - began >= seconds * 1_000;
      return isPast && begun.size === voices.length && waiting.length === 0;
    },
    gone: voices.flatMap(countersOf),
    back: voices.filter(({ comesBack }) => comesBack).flatMap(countersOf),
    recall: () => {
      for (const voice of voices) if (voice.comesBack) waiting.push(say(voice));
    },
  };
}

function comer(index: number, { random, seconds }: ChoirOptions): Voice {
  const spans: [number, number][] = [];
  for (let from = random.next() * 4; from < seconds; from = spans.at(-1)![1] + 4 + random.next() * 2) {
    spans.push([from, Math.min(seconds, from + 0.2 + random.next())]);
  }
  return { name: `comer ${index}`, kind: KINDS[index % 3]!, spans, comesBack: index % 2 === 0 };
}

function once(index: number, { random, seconds }: ChoirOptions): Voice {
  const from = random.next() * (seconds - 0.5);
  return { name: `once ${index}`, kind: KINDS[index % 3]!, spans: [[from, from + 0.15]], comesBack: index % 2 === 0 };
}

/** Of streams that the configuration does not know, so that each series begins with its first line. */
function lineOf(name: string, kind: Kind, run: number): StoryLine {
  const stamp = new Date().toISOString();
  const text =
    kind === 'match'
      ? `INFO ${name}.filter: match ["192.0.2.1"]`
      : // Other arguments each time: a failure is one of its own, not of a run before it.
        `${kind === 'run' ? 'INFO' : 'ERROR'} ${name}.filter.act: run ["cmd", "${run}"]${kind === 'run' ? '' : ': exit code: 1'}`;
  const counted = [seriesKey('trailgauge_source_items_total', [['source', 'reaction']]), ...keysOf(name, kind)];
  return { text: `${stamp} ${text}`, time: Date.parse(stamp), invocation: '', counted };
}

function keysOf(name: string, kind: Kind): readonly string[] {
  const filter = [
    ['stream', name],
    ['filter', 'filter'],
  ] as const;
  if (kind === 'match') return [seriesKey('reaction_matches_total', filter), seriesKey('reaction_match_count', filter)];
  const action = [...filter, ['action', 'act']] as const;
  const names = ['reaction_actions_total', 'reaction_action_count', 'reaction_action_failures_total'];
  return names.slice(0, kind === 'run' ? 2 : 3).map((metric) => seriesKey(metric, action));
}

function countersOf({ name, kind }: Voice): readonly string[] {
  return keysOf(name, kind).filter((key) => /^[a-z_]+_total/.test(key));
}
