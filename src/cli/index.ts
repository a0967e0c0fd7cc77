import yargs, { type Argv } from 'yargs';
import { nearest } from '../lib/nearest.ts';
import { SOURCES } from '../sources/index.ts';
import { FAILED, type Io, OK, USAGE, write } from './io.ts';

type Format = 'yaml' | 'json';

const COMMANDS = [
  'start',
  'once',
  'backfill',
  'demo',
  'explain',
  'doctor',
  'defaults',
  'test-config',
  'metrics',
  'version',
] as const;
/** Characters of the longest line of a help text. */
const WIDEST = 100;

/** What yargs says, in the words of the program. */
const MESSAGES: Readonly<Record<string, string | { readonly one: string; readonly other: string }>> = {
  'Unknown argument: %s': { one: 'found unknown argument %s', other: 'found unknown arguments %s' },
  'Not enough arguments following: %s': 'found nothing after %s, wanted a value',
  'Not enough non-option arguments: got %s, need at least %s': {
    one: 'found too few words after the command: %s, wanted %s or more',
    other: 'found too few words after the command: %s, wanted %s or more',
  },
  'Invalid values:': 'found what is not to choose from:',
  'Argument: %s, Given: %s, Choices: %s': '%s: found %s, wanted one of %s',
};

/** Runs the command line; gives the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code = OK;
  // A command is loaded when it is asked for: `version` need not wait for what only `start` uses.
  const run = async (command: Promise<number>) => {
    code = await command;
  };
  const parser = yargs([])
    .scriptName('trailgauge')
    .usage(
      '$0 [-c FILE] [-f yaml|json] COMMAND\n\nExact and bounded Prometheus metrics from audit trails and security-event streams.',
    )
    .option('c', {
      alias: 'config',
      type: 'string',
      requiresArg: true,
      describe: 'Configuration file, YAML or JSON; - is standard input',
    })
    .option('f', {
      type: 'string',
      choices: ['yaml', 'json'] as const,
      default: 'yaml' as const,
      describe: 'Format of the configuration and of what is printed',
    })
    .command('start', 'Run until SIGTERM or SIGINT', noArguments, (args) =>
      run(import('./start.ts').then((module) => module.start({ config: file(args.c), format: formatOf(args.f) }, io))),
    )
    .command(
      'once',
      'Read all that the sources hold now and print the metrics',
      (command) =>
        command
          .option('since', {
            type: 'string',
            requiresArg: true,
            describe: 'Only events from this time on: RFC 3339, or a duration such as 36h',
          })
          .option('until', { type: 'string', requiresArg: true, describe: 'Only events before this time' })
          .option('format', {
            choices: ['text', 'openmetrics'] as const,
            default: 'text' as const,
            describe: 'Format of the exposition',
          }),
      (args) =>
        run(
          import('./once.ts').then((module) =>
            module.once(
              {
                config: { config: file(args.c), format: formatOf(args.f) },
                since: file(args.since),
                until: file(args.until),
                format: args.format,
              },
              io,
            ),
          ),
        ),
    )
    .command(
      'backfill',
      'Write the history of what the sources hold as OpenMetrics with timestamps',
      (command) =>
        command
          .option('since', {
            type: 'string',
            requiresArg: true,
            demandOption: true,
            describe: 'Events from this time on: RFC 3339, or a duration such as 7d',
          })
          .option('until', { type: 'string', requiresArg: true, describe: 'Events before this time; by default now' })
          .option('step', {
            type: 'string',
            requiresArg: true,
            default: '1m',
            describe: 'Time between two samples of a series',
          })
          .option('output', {
            type: 'string',
            requiresArg: true,
            describe: 'File to write, instead of standard output',
          }),
      (args) =>
        run(
          import('./backfill.ts').then((module) =>
            module.backfill(
              {
                config: { config: file(args.c), format: formatOf(args.f) },
                since: file(args.since) ?? '',
                until: file(args.until),
                step: file(args.step) ?? '',
                output: file(args.output),
              },
              io,
            ),
          ),
        ),
    )
    .command(
      'demo',
      'Show the main job on bundled recordings, replayed as if live',
      (command) =>
        command.option('port', {
          type: 'string',
          requiresArg: true,
          coerce: portOf,
          describe: 'Port to listen on; by default 8080, or any that is free',
        }),
      (args) => run(import('./demo.ts').then((module) => module.demo({ port: args.port }, io))),
    )
    .command(
      'explain <source> [file]',
      'Print what becomes of each item of raw input, from FILE or standard input',
      (command) =>
        command
          .positional('source', {
            type: 'string',
            demandOption: true,
            describe: `One of ${SOURCES.map(({ type }) => type).join(', ')}, or TYPE/NAME`,
          })
          .positional('file', { type: 'string', describe: 'Raw input; - is standard input' }),
      (args) =>
        run(
          import('./explain.ts').then((module) =>
            module.explain(
              {
                config: file(args.c),
                source: args.source,
                // yargs makes an empty text of `-`.
                file: args.file || undefined,
                format: formatOf(args.f) === 'json' ? 'json' : 'text',
              },
              io,
            ),
          ),
        ),
    )
    .command('doctor', 'Try what the configuration names and say what is wrong', noArguments, (args) =>
      run(
        import('./doctor.ts').then((module) => module.doctor({ config: file(args.c), format: formatOf(args.f) }, io)),
      ),
    )
    .command('defaults', 'Print the whole default configuration', printed, (args) =>
      run(import('./show.ts').then((module) => module.defaults(printedFormat(args), io))),
    )
    .command('test-config', 'Validate the configuration and print it completed', printed, (args) =>
      run(
        import('./show.ts').then((module) =>
          module.testConfig({ config: file(args.c), format: formatOf(args.f), output: printedFormat(args) }, io),
        ),
      ),
    )
    .command('metrics', 'Print the catalogue of metrics', printed, (args) =>
      run(import('./show.ts').then((module) => module.metrics(printedFormat(args), io))),
    )
    .command('version', 'Print name, version, revision and Node.js version', printed, (args) =>
      run(import('./show.ts').then((module) => module.version(printedFormat(args), io))),
    )
    .command('$0', false, anyArguments, (args) => run(unknownCommand(args._, io)))
    .strict()
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'duplicate-arguments-array': false,
    })
    .version(false)
    .help()
    .alias('h', 'help')
    .wrap(Math.min(WIDEST, io.stdout.columns ?? WIDEST))
    // Half of a help text in another language helps nobody.
    .locale('en')
    // Its type does not know of plurals.
    .updateStrings(MESSAGES as Record<string, string>)
    .exitProcess(false)
    .showHelpOnFail(false);
  // yargs itself would print to the console; what is printed belongs to the caller.
  return parse(parser, aliased(argv), io, () => code);
}

async function unknownCommand(words: readonly unknown[], io: Io): Promise<number> {
  const [name = null] = words.map(String);
  const near = name === null ? undefined : nearest(name, COMMANDS);
  const found = name === null ? 'found no command' : `found the command ${JSON.stringify(name)}`;
  const wish = near === undefined ? `one of ${COMMANDS.join(', ')}` : `perhaps ${near}`;
  await write(io.stderr, `trailgauge: ${found}, wanted ${wish}\nSee trailgauge --help.\n`);
  return USAGE;
}

/** `--version` and `--defaults` are commands too. */
function aliased(argv: readonly string[]): string[] {
  return argv.map((word) =>
    word === '--version' || word === '-V' ? 'version' : word === '--defaults' ? 'defaults' : word,
  );
}

async function parse(parser: Argv, argv: readonly string[], io: Io, code: () => number): Promise<number> {
  const outcome = await new Promise<{ error: unknown; output: string }>((resolve) => {
    const done = parser.parse([...argv], {}, (error: unknown, _args: unknown, output: string) =>
      resolve({ error, output }),
    );
    // A command that failed on its own did not make yargs call back.
    Promise.resolve(done).catch((error: unknown) => resolve({ error, output: '' }));
  });
  if (!outcome.error) {
    if (outcome.output) await write(io.stdout, `${outcome.output}\n`);
    return code();
  }
  if (outcome.output) {
    await write(io.stderr, `trailgauge: ${outcome.output}\nSee trailgauge --help.\n`);
    return USAGE;
  }
  await write(
    io.stderr,
    `trailgauge: ${outcome.error instanceof Error ? outcome.error.stack : String(outcome.error)}\n`,
  );
  return FAILED;
}

function noArguments(command: Argv): Argv {
  return command;
}

function anyArguments(command: Argv): Argv {
  return command.strict(false);
}

function printed(command: Argv) {
  return command.option('format', { type: 'string', choices: ['yaml', 'json'], describe: 'The same as -f' });
}

function printedFormat(args: Readonly<Record<string, unknown>>): Format {
  return (args.format ?? args.f) === 'json' ? 'json' : 'yaml';
}

function formatOf(value: unknown): Format {
  return value === 'json' ? 'json' : 'yaml';
}

function portOf(value: unknown): number | undefined {
  const text = file(value);
  if (text === undefined) return undefined;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new Error(`--port: found ${JSON.stringify(text)}, wanted a whole number from 0 to 65535`);
}

/** The last one counts where an option is given twice. */
function file(value: unknown): string | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : undefined;
}
