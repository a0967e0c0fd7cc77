import { type Answer, get } from './http.ts';
import type { StoryLine } from './story.ts';
import { type Exposition, parseExposition, type Sample } from './strict-exposition.ts';

/**
 * Holds what one scraper is shown against the truth, answer by answer.
 *
 * Each answer tells how many lines it knows of (`trailgauge_source_items_total`). It must then show just what the lines
 * up to there make of all counters, and, as "since the last collection", just what the lines since its last answer make
 * of them. An answer that was cut tells nothing, and may have been given or not: then, and only then, the next one may
 * begin anywhere between the last answer and itself, but it must begin somewhere: whole lines, from there all of them.
 */
export interface Ledger {
  /** Lines that the last whole answer knew of. */
  readonly known: number;
  /** Lines that were given in answers that were cut. */
  readonly lost: number;
  readonly answers: number;
  readonly cuts: number;
  /** Takes the text of a whole answer; throws if it tells anything but the truth. */
  take(text: string): Exposition;
  /** An answer did not arrive, or not whole. */
  cut(): void;
  /** The program was killed, and does not know whether its last answer arrived: what that showed at 0 may be so again. */
  killed(): void;
}

/** Metrics of "since the last collection". */
const SINCE = [
  'reaction_match_count',
  'reaction_action_count',
  'reaction_commands_count',
  'reaction_stream_event_count',
];
/** Counters that the story tells of. */
const COUNTERS = /^(?:reaction_[a-z_]+_total|trailgauge_source_(?:items|rejected|duplicates|errors)_total)$/;

type Counts = Map<string, number>;

/** A ledger for a scraper that collects from the first line on. `lines` may grow. */
export function openLedger(lines: readonly StoryLine[]): Ledger {
  const truth: Counts = new Map();
  const shown = new Map<string, number>();
  let known = 0;
  let lost = 0;
  let answers = 0;
  let cuts = 0;
  let wasCut = false;
  let wasKilled = false;

  /** No counter and no bucket is ever lower than it was shown. */
  function checkGrowth(exposition: Exposition): void {
    for (const family of exposition.families.values()) {
      if (family.type !== 'counter' && family.type !== 'histogram') continue;
      for (const { key, value } of family.samples) {
        const before = shown.get(key);
        if (before !== undefined && value < before) throw new Error(`${key} went from ${before} to ${value}`);
        shown.set(key, value);
      }
    }
  }

  function checkCounters(exposition: Exposition, before: ReadonlySet<string>): void {
    const wrong: Counts = new Map();
    for (const [key, value] of truth) {
      const found = exposition.samples.get(key)?.value;
      // A new series is shown at 0 once.
      if (!COUNTERS.test(nameOf(key)) || found === value || (found === 0 && !before.has(key))) continue;
      wrong.set(key, (found ?? 0) - value);
    }
    for (const { name, key, value } of exposition.samples.values()) {
      if (value !== 0 && COUNTERS.test(name) && !truth.has(key)) wrong.set(key, value);
    }
    if (wrong.size > 0) throw new Error(`of ${known} lines there are too many or too few: ${describe(wrong)}`);
  }

  function checkSince(exposition: Exposition, from: number): void {
    const given = SINCE.flatMap((name): readonly Sample[] => exposition.families.get(name)?.samples ?? []);
    const rest: Counts = new Map(given.map(({ key, value }) => [key, value]));
    let begin = known;
    // Takes the lines away from the newest on, until nothing is left or something does not fit.
    for (; begin > from && rest.size > 0; begin--) {
      const line = lines[begin - 1];
      if (!line?.counted.filter(isSince).every((key) => takeOne(rest, key))) break;
    }
    // Lines that tell nothing may stand before the first that does.
    while (begin > from && !lines[begin - 1]?.counted.some(isSince)) begin--;
    if (rest.size > 0) {
      const off = difference(new Map(given.map(({ key, value }) => [key, value])), lines.slice(from, known));
      throw new Error(`what was given is not of the lines ${from} to ${known}, nor of any last ones: ${describe(off)}`);
    }
    if (begin > from && !wasCut) {
      throw new Error(`lines ${from} to ${begin} were not given: ${describe(countOf(lines.slice(from, begin)))}`);
    }
    lost += begin - from;
  }

  return {
    get known() {
      return known;
    },
    get lost() {
      return lost;
    },
    get answers() {
      return answers;
    },
    get cuts() {
      return cuts;
    },
    take: (text) => {
      const exposition = parseExposition(text);
      const from = known;
      const before = new Set([...shown].flatMap(([key, value]) => (wasKilled && value === 0 ? [] : [key])));
      const items = exposition.value('trailgauge_source_items_total', { source: 'reaction' });
      if (items === undefined || items < from || items > lines.length) {
        throw new Error(`found ${items} lines read, wanted ${from} to ${lines.length}`);
      }
      for (; known < items; known++) for (const key of lines[known]?.counted ?? []) add(truth, key);
      checkGrowth(exposition);
      checkCounters(exposition, before);
      checkSince(exposition, from);
      wasCut = false;
      wasKilled = false;
      answers += 1;
      return exposition;
    },
    cut: () => {
      wasCut = true;
      cuts += 1;
    },
    killed: () => {
      wasKilled = true;
    },
  };
}

/** Collects again and again for a ledger until it is told to end. What does not arrive whole is a cut. */
export interface Collector {
  readonly ledger: Ledger;
  /** Resolves when the next collection is on its way. */
  asked(): Promise<void>;
  /** Rejects with what the ledger found wrong; never resolves. */
  readonly failed: Promise<never>;
  /** Ends after the collection under way; throws what the ledger found wrong. */
  end(): Promise<void>;
  /** Collects once more, now. */
  collect(): Promise<Exposition>;
}

export interface CollectorOptions {
  readonly name: string;
  readonly lines: readonly StoryLine[];
  /** Where the program listens at the moment; null while it does not. */
  readonly url: () => string | null;
  /** Milliseconds to wait before each collection. */
  readonly pause: () => number;
}

/** Starts to collect as the scraper `name`. */
export function startCollector({ name, lines, url, pause }: CollectorOptions): Collector {
  const ledger = openLedger(lines);
  let isOver = false;
  let tell = () => {};
  async function collect(base: string): Promise<Exposition | null> {
    let answer: Answer;
    try {
      tell();
      answer = await get(`${base}/metrics?scraper=${name}`);
    } catch (error) {
      // Nobody was there to give anything.
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) ledger.cut();
      return null;
    }
    if (answer.status !== 200) throw new Error(`found status ${answer.status}: ${answer.text}`);
    return ledger.take(answer.text);
  }
  async function run(): Promise<void> {
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, pause()));
      const base = url();
      if (base !== null && !isOver) await collect(base);
    }
  }
  const done = run().catch((error: unknown) => {
    throw new Error(`scraper ${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
  const failed = done.then(() => new Promise<never>(() => {}));
  // Whoever waits for either is told.
  failed.catch(() => {});
  return {
    ledger,
    asked: () => new Promise((resolve) => (tell = resolve)),
    failed,
    end: () => {
      isOver = true;
      return done;
    },
    collect: async () => {
      const exposition = await collect(url() ?? '');
      if (!exposition) throw new Error(`scraper ${name}: the answer was cut`);
      return exposition;
    },
  };
}

/** All counters of the story as an exposition shows them, beside what they should be: for `t.same`. */
export function compareCounters(
  exposition: Exposition,
  lines: readonly StoryLine[],
): readonly [found: Readonly<Record<string, number>>, wanted: Readonly<Record<string, number>>] {
  const isShown = ({ name, value }: Sample) => value !== 0 && COUNTERS.test(name);
  const found = [...exposition.samples.values()].filter(isShown).map(({ key, value }) => [key, value] as const);
  const wanted = [...countOf(lines)].filter(([key]) => COUNTERS.test(nameOf(key)));
  return [Object.fromEntries(found), Object.fromEntries(wanted)];
}

/** How often each series is counted in these lines. */
export function countOf(lines: readonly StoryLine[]): ReadonlyMap<string, number> {
  const counts: Counts = new Map();
  for (const { counted } of lines) for (const key of counted) add(counts, key);
  return counts;
}

function add(counts: Counts, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** How much more (or less) was given than these lines tell. */
function difference(given: ReadonlyMap<string, number>, lines: readonly StoryLine[]): ReadonlyMap<string, number> {
  const off: Counts = new Map(given);
  for (const key of lines.flatMap(({ counted }) => counted.filter(isSince))) off.set(key, (off.get(key) ?? 0) - 1);
  return new Map([...off].filter(([, count]) => count !== 0));
}

function takeOne(counts: Counts, key: string): boolean {
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
  return count > 0;
}

function nameOf(key: string): string {
  return key.split(' ', 1)[0] ?? '';
}

function isSince(key: string): boolean {
  return SINCE.includes(nameOf(key));
}

function describe(counts: ReadonlyMap<string, number>): string {
  const shown = [...counts].slice(0, 12).map(([key, count]) => `${count} of ${key}`);
  return shown.join(', ') + (counts.size > 12 ? `, and ${counts.size - 12} more series` : '');
}
