import { open, stat } from 'node:fs/promises';
import type { Finding } from '../../core/source.ts';
import { probeJournal } from '../../lib/journal-probe.ts';
import { askShow, askVersion } from './ask.ts';
import type { LogsConfig, ReactionConfig } from './config.ts';
import { splitLines } from './lines.ts';
import { loadSettings } from './load.ts';

/** Milliseconds that one question to reaction may take. */
const TIMEOUT_MS = 5_000;
/** Bytes at the end of a log file that are looked at. */
const LOOKED_AT = 256 * 1024;

/** For `doctor`: the log, the configuration of reaction, its program and its socket. */
export async function* checkReaction(config: ReactionConfig, signal: AbortSignal): AsyncGenerator<Finding> {
  yield await checkLogs(config.logs, signal);
  yield await checkSettings(config, signal);
  const asking = { command: config.command, timeoutMs: TIMEOUT_MS, signal };
  try {
    yield { ok: true, detail: `reaction ${await askVersion(asking)}` };
  } catch (error) {
    const hint = 'set `command` to the path of reaction; without it there are no pending actions, and reaction_up is 0';
    yield { ok: false, detail: `${message(error)}; ${hint}` };
    return;
  }
  try {
    await askShow({ ...asking, socket: config.socket, state: { formatRefused: false } });
    yield { ok: true, detail: `socket ${config.socket}: reaction tells its pending actions` };
  } catch (error) {
    const hint = 'is reaction running, and may this user write to its socket (Group= and UMask=0002 in its unit)?';
    yield { ok: false, detail: `socket ${config.socket}: ${message(error)}; ${hint}` };
  }
}

async function checkLogs(logs: LogsConfig, signal: AbortSignal): Promise<Finding> {
  if (logs.file !== null) return checkFile(logs.file);
  const unit = logs.systemd ?? '';
  const { ok, detail } = await probeJournal({ unit, directory: logs.directory, signal });
  return { ok, detail: `journal of ${unit}: ${detail}` };
}

async function checkFile(path: string): Promise<Finding> {
  try {
    // To open a pipe would wait for somebody to write to it.
    if (!(await stat(path)).isFile()) return { ok: false, detail: `log ${path}: found no plain file, wanted one` };
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.min(size, LOOKED_AT));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
      return judgeLog(path, buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { ok: false, detail: `log ${path}: ${fileProblem(error)}` };
  }
}

function fileProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') {
    return 'found no such file, wanted the log of reaction; set logs.file, or logs.systemd if it goes to the journal';
  }
  if (code === 'EACCES') return `found no permission for user ${process.getuid?.() ?? '?'}, wanted one who may read it`;
  return message(error);
}

/** With `-l WARN` or above reaction does not log what is counted. */
function judgeLog(path: string, bytes: Buffer): Finding {
  const lines = [...splitLines(bytes, 0, { origin: { cursor: path }, time: null, now: Date.now() })];
  const levels = lines.flatMap(({ text }) => /^(?:INFO|WARN|ERROR|FATAL)(?= |$)/.exec(text)?.[0] ?? []);
  if (levels.length > 0 && !levels.includes('INFO')) {
    return {
      ok: false,
      detail: `log ${path}: found only WARN and ERROR lines; wanted INFO, so start reaction with -l INFO`,
    };
  }
  if (lines.length > 0 && levels.length === 0) {
    return { ok: false, detail: `log ${path}: found no line of reaction among the last ${lines.length}` };
  }
  return { ok: true, detail: `log ${path}: ${levels.length} lines of reaction in the last ${bytes.length} bytes` };
}

async function checkSettings({ command, config }: ReactionConfig, signal: AbortSignal): Promise<Finding> {
  const { settings, origin, problem } = await loadSettings({ command, config, timeoutMs: TIMEOUT_MS, signal });
  const filters = [...settings.streams.values()].reduce((sum, stream) => sum + stream.filters.size, 0);
  const count = `${settings.streams.size} streams, ${filters} filters`;
  if (origin === 'command') return { ok: true, detail: `configuration ${config}: ${count}` };
  if (origin === 'files')
    return { ok: true, detail: `configuration ${config}: ${count}, read from its files, as ${problem}` };
  return { ok: false, detail: `configuration ${config}: ${problem}; without it patterns have no names` };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
