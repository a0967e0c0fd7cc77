import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { openAddresses } from '../core/addresses.ts';
import { registryFor } from '../core/engine.ts';
import { type SeriesChange, traceChanges } from '../core/metrics/trace.ts';
import { DUPLICATE, isRejected, type OpenedSource } from '../core/source.ts';
import { sourceLabel } from '../core/source-label.ts';
import { SOURCES } from '../sources/index.ts';
import { failed, type Io, OK, USAGE, write } from './io.ts';
import { loadConfig, readProblem, STANDARD_INPUT } from './load.ts';
import { createLog } from './log.ts';

export interface ExplainArguments {
  readonly config?: string | undefined;
  readonly format: 'text' | 'json';
  /** `TYPE` or `TYPE/NAME`. */
  readonly source: string;
  /** Raw input; standard input if it is not named. */
  readonly file?: string | undefined;
}

/** Prints for each item of raw input what became of it. */
export async function explain(args: ExplainArguments, io: Io): Promise<number> {
  const listed = SOURCES.find(({ type }) => type === args.source.split('/', 1)[0]);
  if (!listed) {
    const known = SOURCES.map(({ type }) => type).join(', ');
    await write(io.stderr, `trailgauge: found source ${JSON.stringify(args.source)}, wanted one of ${known}\n`);
    return USAGE;
  }
  if (args.config === STANDARD_INPUT && args.file === undefined) {
    const found = 'found standard input as configuration and as raw input';
    await write(io.stderr, `trailgauge: ${found}, wanted a file for one of them\n`);
    return USAGE;
  }
  const loaded = await loadConfig({ config: args.config }, io);
  if (!loaded) return USAGE;
  const { config } = loaded;
  if (args.source.includes('/') && !(args.source in config.sources)) {
    const known = Object.keys(config.sources).join(', ');
    await write(
      io.stderr,
      `trailgauge: found source ${JSON.stringify(args.source)}, wanted one configured: ${known}\n`,
    );
    return USAGE;
  }
  // Warnings too: where pattern names are not known, this says why.
  const log = await createLog('warn', io.stderr.isTTY === true);
  const spec = await listed.load();
  // Its clock stands still, so that sketches count what is old as well: all of it comes now.
  const registry = registryFor(config.metrics);
  const changes = traceChanges(registry);
  let duplicates = 0;
  try {
    const addresses = openAddresses(config.addresses, { follow: false, log });
    const metrics = registry.register(args.source, spec.metrics, sourceLabel(args.source).constant);
    const opened = spec.open(config.sources[args.source] ?? spec.config.parse(spec.blank), {
      name: args.source,
      metrics,
      aside: metrics,
      log,
      env: io.env,
      addresses,
      report: {
        problem: () => {},
        error: (text) => log.error(text),
        duplicate: () => {
          duplicates += 1;
        },
      },
      now: io.now,
      follow: false,
      events: true,
      range: { since: null, until: null },
      signal: io.signal,
    });
    const input = args.file === undefined ? await buffer(io.stdin) : await readInput(args.file);
    await opened.prepare?.();
    changes();
    for (const raw of spec.split(input)) {
      const before = duplicates;
      const account = explainItem(opened, raw, changes);
      const full = { ...account, ...(duplicates > before && { held: true }) };
      await write(io.stdout, args.format === 'json' ? `${JSON.stringify(full)}\n` : asText(full));
    }
    await opened.close?.();
    return OK;
  } catch (error) {
    return failed(io, error);
  }
}

interface Account {
  readonly input: string;
  readonly event?: unknown;
  readonly rejected?: string;
  readonly ignored?: boolean;
  /** It repeats something that was counted already. */
  readonly held?: boolean;
  readonly metrics: readonly SeriesChange[];
}

function explainItem(
  opened: OpenedSource<unknown, unknown>,
  raw: unknown,
  changes: () => readonly SeriesChange[],
): Account {
  const input = opened.excerpt(raw);
  const parsed = opened.parse(raw);
  if (parsed === null) return { input, ignored: true, metrics: [] };
  // `parse` gives an object or null: `defineSource` asks for it.
  if (isRejected(parsed as object)) {
    const { rejected } = parsed as { rejected: string };
    return { input, ...(rejected === DUPLICATE.rejected ? { held: true } : { rejected }), metrics: [] };
  }
  opened.observe(parsed, raw);
  opened.settle?.();
  return { input, event: opened.event(parsed, raw), metrics: changes() };
}

function asText({ input, event, rejected, ignored, held, metrics }: Account): string {
  const lines = [input];
  if (rejected) lines.push(`  rejected: ${rejected}`);
  if (ignored) lines.push('  no event');
  if (held) lines.push('  not counted: it repeats an earlier one');
  if (event) lines.push(`  event: ${JSON.stringify(event)}`);
  for (const change of metrics) {
    lines.push(`  ${change.series} ${'by' in change ? `+${change.by}` : `= ${change.value}`}`);
  }
  // Hostile input must not move the cursor of who reads it.
  return `${lines.map((line) => line.replace(/\p{Cc}/gu, '\ufffd')).join('\n')}\n`;
}

async function readInput(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`cannot read ${file}: ${readProblem(cause, 'a file of raw input')}`, { cause });
  }
}
