import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { Registry } from '../../../src/core/metrics/registry.ts';
import type { ScannedLines } from '../../../src/lib/scan.ts';
import { parsePrinted } from '../../../src/sources/reaction/documents.ts';
import type { PieceOptions } from '../../../src/sources/reaction/lines.ts';
import { REACTION_METRICS } from '../../../src/sources/reaction/metrics.ts';
import { NumberedLines } from '../../../src/sources/reaction/numbered.ts';
import { Observer, type ObserverOptions } from '../../../src/sources/reaction/observe.ts';
import { rememberingParser } from '../../../src/sources/reaction/remember.ts';
import { readSettings } from '../../../src/sources/reaction/settings.ts';
import { compileTransforms } from '../../../src/sources/reaction/transform.ts';
import { show } from '../../support/exposition.ts';

const SETTINGS = readSettings(
  parsePrinted(
    JSON.stringify({
      patterns: { ip: { type: 'ip' }, user: { regex: '\\w+' } },
      streams: {
        ssh: {
          cmd: ['x'],
          filters: {
            login: {
              regex: ['from <ip>'],
              actions: { ban: { cmd: ['ban', '<ip>'] }, mail: { cmd: ['mail', 'root'] } },
            },
            two: { regex: ['<user> <ip>'], actions: { tell: { cmd: ['tell', '<ip>'] } } },
          },
        },
      },
    }),
  ),
);

const PIECE: PieceOptions = { origin: { cursor: 'x' }, time: null, now: Date.UTC(2026, 0, 2) };

/** Lines of a log as a thread scans them; with `anew`, their numbers begin anew. */
interface Piece {
  readonly lines: readonly string[];
  readonly anew: boolean;
  /** Whether what is remembered is asked for behind it. */
  readonly saved: boolean;
}

/** What a log does to an observer, with or without lines being taken. */
async function observed(log: readonly Piece[], { taken, ...options }: Partial<ObserverOptions> & { taken: boolean }) {
  const registry = new Registry({ seriesLimit: 12 });
  registry.seed = { low: 1, high: 2 } as unknown as Registry['seed'];
  const counts = { held: 0, starts: 0, events: 0, rejected: 0, passed: 0 };
  const observer = new Observer({
    metrics: registry.register('reaction', REACTION_METRICS),
    holdMs: 60_000,
    matches: 'patterns',
    actions: 'patterns',
    top: 3,
    distinct: false,
    commands: true,
    streams: true,
    transforms: compileTransforms({}, () => {}),
    onHeld: () => void counts.held++,
    onStart: () => void counts.starts++,
    ...options,
  });
  observer.configure(SETTINGS);
  const parse = rememberingParser();
  const numbered = new NumberedLines(taken ? observer.repeats : null);
  const memory: unknown[] = [];
  const newest: (number | null)[] = [];
  for (const [index, batch] of [...scanned(log)].entries()) {
    // Values are forgotten in time.
    registry.time = index * 20 * 3_600_000;
    let last: number | null = null;
    const { items, passed } = numbered.of(batch, PIECE);
    for (const line of items) {
      const item = parse(line);
      if (item === null) continue;
      counts.events += 1;
      if ('rejected' in item) counts.rejected += 1;
      else observer.observe(item, line);
      if (!('rejected' in item)) last = line.time;
    }
    counts.passed += passed();
    counts.events += passed();
    observer.settle();
    newest.push(last);
    // It gives out what it goes on with.
    if (log[index]?.saved) memory.push(structuredClone([...observer.changes()]));
  }
  numbered.end();
  memory.push([...observer.changes()]);
  const { passed, ...told } = counts;
  return { passed, result: { shown: await show(registry), memory, newest, counts: told } };
}

/** The lines of each piece, numbered as `scan-worker.ts` does. */
function* scanned(log: readonly Piece[]): Generator<ScannedLines> {
  let numbers = new Map<string, number>();
  let offset = 0;
  for (const { lines, anew } of log) {
    if (anew) numbers = new Map();
    const fresh = [...new Set(lines)].filter((line) => !numbers.has(line));
    for (const line of fresh) numbers.set(line, numbers.size);
    let length = 0;
    const starts = lines.map((line) => (length += Buffer.byteLength(line) + 1) - Buffer.byteLength(line) - 1);
    let end = 0;
    yield {
      offset,
      length,
      dev: '1',
      ino: '2',
      tooLong: 0,
      live: false,
      caughtUp: false,
      position: { dev: '1', ino: '2', offset: offset + length, head: '', tail: '', mtime: 0 },
      isAnew: anew,
      numbers: Int32Array.from(lines, (line) => numbers.get(line)!),
      starts: Int32Array.from(starts),
      fresh: Buffer.from(fresh.join('')),
      freshEnds: Int32Array.from(fresh, (line) => (end += Buffer.byteLength(line))),
    };
    offset += length;
  }
}

/** Lines of few kinds, so that most have been there before; some have a time, or a value that does not fit. */
const line = fc
  .tuple(
    fc.constantFrom(
      'ssh.login: match ["A"]',
      'ssh.login: match ["A"]',
      'ssh.login.ban: run ["ban" "A"]',
      'ssh.login.mail: run ["mail" "root"]',
      'ssh.two: match ["bob", "A"]',
      'ssh.two.tell: run ["tell" "A"]',
      'ssh.two: match ["A"]',
      'old.gone: match ["A"]',
      'old.gone.ban: run ["ban" "A"]',
      'ssh.login.ban: run Plugin',
      'ssh: start ["tail"]',
      'start command: run ["A"]',
      'nothing that is known',
    ),
    fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '', 'é\\"'),
    fc.oneof(
      { weight: 100, arbitrary: fc.constant('INFO ') },
      { weight: 30, arbitrary: fc.constantFrom('ERROR ', 'ERROR ', 'DEBUG ') },
      { weight: 1, arbitrary: fc.constant('2026-01-01T10:00:00Z INFO ') },
    ),
  )
  .map(([text, value, level]) => `${level}${text.replace('A', value)}${level === 'ERROR ' ? ': exit code: 1' : ''}`);

const log = fc.array(
  fc.record({
    saved: fc.boolean(),
    lines: fc.array(line, { minLength: 20, maxLength: 120, size: 'max' }),
    anew: fc.integer({ max: 3, min: 0 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 6 },
);

const options = fc.record({
  matches: fc.constantFrom('off', 'plain', 'patterns'),
  actions: fc.constantFrom('off', 'plain', 'patterns'),
  top: fc.constantFrom(0, 2),
  holdMs: fc.constantFrom(0, 60_000),
} as const);

t.test('lines that are taken do what observing them does', async (t) => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(log, options, async (pieces, chosen) => {
      const taken = await observed(pieces, { ...chosen, taken: true });
      const plain = await observed(pieces, { ...chosen, taken: false });
      passed += taken.passed;
      deepStrictEqual(taken.result, plain.result);
      deepStrictEqual(plain.passed, 0);
    }),
    { numRuns: 150 },
  );
  t.ok(passed > 2_000, `${passed} were taken`);
});

t.test('of lines whose like has been observed, all are taken', async (t) => {
  const match = 'INFO ssh.login: match ["192.0.2.1"]';
  const ban = 'INFO ssh.login.ban: run ["ban" "192.0.2.1"]';
  const lines = Array.from({ length: 2_500 }, (_, index) => (index % 5 === 4 ? ban : match));
  const { passed, result } = await observed([{ lines, anew: false, saved: false }], { taken: true });
  t.equal(passed, 2_498);
  t.equal(result.counts.events, 2_500);
  t.match(result.shown, {
    'reaction_matches_total{stream="ssh",filter="login"}': 2_000,
    'reaction_actions_total{stream="ssh",filter="login",action="ban"}': 500,
    'reaction_match_count{stream="ssh",filter="login",ip="192.0.2.1"}': 2_000,
    'reaction_action_count{stream="ssh",filter="login",action="ban",ip="192.0.2.1"}': 500,
  });
});
