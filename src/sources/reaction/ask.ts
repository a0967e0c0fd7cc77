import { stripVTControlCharacters } from 'node:util';
import { commandLine, ending, type Ran, run } from '../../lib/run.ts';
import { parsePrinted, type Tree } from './documents.ts';
import { readSettings, type Settings } from './settings.ts';

/** Of each question: the program to ask, and when to give up. One question at a time is the caller's business. */
export interface Asking {
  /** The program `reaction`: a path, or a name in PATH. */
  readonly command: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What was learnt of the program at hand; one object, kept for all its questions. */
export interface ShowState {
  /** It does not know `show --format`. */
  formatRefused: boolean;
}

const MOST_SETTINGS = 8 * 1024 * 1024;
const MOST_PENDING = 32 * 1024 * 1024;
const MOST_VERSION = 64 * 1024;

/**
 * The configuration at the path `config`, as `reaction test-config -c PATH` prints it merged. Throws if the program
 * cannot be asked, refuses the configuration, or prints no configuration.
 */
export async function askSettings(asking: Asking & { readonly config: string }): Promise<Settings> {
  const args = ['test-config', '-c', asking.config];
  const { stdout } = await ask(asking, args, MOST_SETTINGS);
  const line = commandLine(asking.command, args);
  let tree: Tree;
  try {
    tree = parsePrinted(withoutPreamble(stdout));
  } catch (cause) {
    throw new Error(`${line} printed no YAML: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  // reaction accepts no configuration without streams, so that this is something else.
  const streams = tree instanceof Map ? tree.get('streams') : null;
  if (!(streams instanceof Map)) throw new Error(`${line} printed no configuration: found no streams`);
  return readSettings(tree);
}

/**
 * What `reaction show` prints of the pending actions: JSON where the program can, else YAML, see `readPending`. Throws
 * if it cannot be asked or ends with anything but 0, as it does while the daemon is down.
 */
export async function askShow(
  asking: Asking & { readonly socket: string; readonly state: ShowState },
): Promise<string> {
  const { socket, state } = asking;
  const args = ['show', '--socket', socket];
  if (state.formatRefused) return (await ask(asking, args, MOST_PENDING)).stdout;
  const first = await runIt(asking, [...args, '--format', 'json'], MOST_PENDING);
  if (!refused(first)) return ended(asking, [...args, '--format', 'json'], first).stdout;
  const second = await runIt(asking, args, MOST_PENDING);
  // If it is refused without the option too, then not because of the option.
  state.formatRefused = !refused(second);
  return ended(asking, args, second).stdout;
}

/** The version that `reaction -V` tells: `2.3.0` of `reaction 2.3.0`, `N/A` if it prints no second word. */
export async function askVersion(asking: Asking): Promise<string> {
  const { stdout } = await ask(asking, ['-V'], MOST_VERSION);
  const [, version] = stripVTControlCharacters(stdout).trim().split(/\s+/, 2);
  return version === undefined ? 'N/A' : version.slice(0, 100);
}

async function ask(asking: Asking, args: readonly string[], maxBytes: number): Promise<Ran> {
  return ended(asking, args, await runIt(asking, args, maxBytes));
}

function runIt({ command, timeoutMs, signal }: Asking, args: readonly string[], maxBytes: number): Promise<Ran> {
  return run({ command, args, timeoutMs, signal, maxBytes });
}

function ended({ command }: Asking, args: readonly string[], ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`${commandLine(command, args)} ${ending(ran)}`);
  return ran;
}

/** How programs refuse an option that they do not know: with 2, or with their usage. */
function refused({ code, stderr }: Ran): boolean {
  return code === 2 || (code !== 0 && /\busage\b/i.test(stderr));
}

/** Drops the lines above the first that looks like a key or opens a map of JSON. */
function withoutPreamble(text: string): string {
  const start = /^(?:\w[\w-]*:|\{)/m.exec(text);
  return start === null ? text : text.slice(start.index);
}
