import { drawing, type Random, seeded, zipf } from './random.ts';

/** What a log of reaction is made from. */
export interface LogShape {
  readonly seed: number;
  readonly lines: number;
  /** Attackers; a few of them make most of the noise. */
  readonly addresses: number;
}

/** The streams of the log, with one filter each, and how often they match. */
const FILTERS = [
  { stream: 'ssh', filter: 'failedlogin', weight: 60 },
  { stream: 'nginx', filter: 'exploits', weight: 25 },
  { stream: 'mail', filter: 'sasl', weight: 15 },
] as const;

/** Matches of an address until it is banned, and until that ban has ended. */
const BAN_EVERY = 4;
const UNBAN_EVERY = 8;
/** Lines between failures of an action, and between restarts of a stream. */
const FAILURE_EVERY = 5_000;
const RESTART_EVERY = 20_000;

/** Lines of reaction 2, each with its line feed: matches, bans, and now and then a failure or a stream that restarts. */
export function* reactionLines({ seed, lines, addresses }: LogShape): Generator<string> {
  const random = seeded(seed);
  const known = Array.from({ length: addresses }, () => address(random));
  const drawAddress = drawing(zipf(addresses), random);
  const drawFilter = drawing(
    FILTERS.map(({ weight }) => weight),
    random,
  );
  const matches = FILTERS.map(() => new Uint32Array(addresses));
  let count = 0;
  let failures = 0;
  let restarts = 0;
  const more = function* (...texts: readonly string[]): Generator<string> {
    for (const text of texts.slice(0, lines - count)) yield `${text}\n`;
    count += texts.length;
  };
  yield* more('INFO start command: run ["ip46tables", "-w", "-N", "reaction"]', ...FILTERS.map(started));
  while (count < lines) {
    const from = drawAddress();
    const index = drawFilter();
    const { stream, filter } = FILTERS[index]!;
    const found = ++matches[index]![from]!;
    yield* more(`INFO ${stream}.${filter}: match ["${known[from]}"]`);
    if (found % BAN_EVERY !== 0) continue;
    const ban = `${stream}.${filter}.ban: run ${run('-A', known[from]!)}`;
    yield* more(`INFO ${ban}`);
    if (count > (failures + 1) * FAILURE_EVERY) {
      failures += 1;
      yield* more(`ERROR ${ban}: exit code: 1`);
    }
    if (found % UNBAN_EVERY === 0) yield* more(`INFO ${stream}.${filter}.unban: run ${run('-D', known[from]!)}`);
    if (count > (restarts + 1) * RESTART_EVERY) {
      restarts += 1;
      yield* more(`ERROR stream ${stream} exited: exit status: 1`, started({ stream }));
    }
  }
}

/** The configuration of the reaction that writes such a log, in JSON. */
export function reactionConfiguration(): string {
  const streams = FILTERS.map(({ stream, filter }) => {
    const actions = { ban: { cmd: command('-A', '<ip>') }, unban: { cmd: command('-D', '<ip>'), after: '48h' } };
    return [stream, { cmd: follow(stream), filters: { [filter]: { regex: ['from <ip>$'], actions } } }] as const;
  });
  return JSON.stringify({
    patterns: { ip: { type: 'ip' } },
    start: [['ip46tables', '-w', '-N', 'reaction']],
    streams: Object.fromEntries(streams),
  });
}

function address(random: Random): string {
  const part = () => Math.floor(random() * 256);
  return `198.${18 + Math.floor(random() * 2)}.${part()}.${part()}`;
}

function follow(stream: string): readonly string[] {
  return ['tail', '-n0', '-F', `/var/log/${stream}.log`];
}

function started({ stream }: { readonly stream: string }): string {
  return `INFO ${stream}: start [${follow(stream)
    .map((word) => `"${word}"`)
    .join(', ')}]`;
}

function command(operation: string, from: string): readonly string[] {
  return ['ip46tables', '-w', operation, 'reaction', '-s', from, '-j', 'DROP'];
}

/** reaction 2 separates the arguments of actions by spaces alone. */
function run(operation: string, from: string): string {
  return `[${command(operation, from)
    .map((word) => `"${word}"`)
    .join(' ')}]`;
}
