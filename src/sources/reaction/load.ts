import { type Asking, askSettings } from './ask.ts';
import { NO_SETTINGS, type Settings } from './settings.ts';
import { readSettingsFiles } from './settings-files.ts';

export interface Loaded {
  readonly settings: Settings;
  /** Who told: reaction itself, its files read by us, or nobody. */
  readonly origin: 'command' | 'files' | 'none';
  /** Why reaction itself did not tell, and why its files did not; null if it did. */
  readonly problem: string | null;
}

/**
 * The settings of reaction: asked of the program, else read from its files, else none. Never throws: events are counted
 * without settings too, only their patterns have no names then.
 */
export async function loadSettings(asking: Asking & { readonly config: string }): Promise<Loaded> {
  let problem: string;
  try {
    return { settings: await askSettings(asking), origin: 'command', problem: null };
  } catch (error) {
    problem = text(error);
  }
  if (asking.signal?.aborted) return { settings: NO_SETTINGS, origin: 'none', problem };
  try {
    const settings = await readSettingsFiles(asking.config);
    const { streams, start, stop } = settings;
    if (streams.size + start.length + stop.length > 0) return { settings, origin: 'files', problem };
    problem = [problem, `found no configuration in ${asking.config}`, ...settings.warnings].join('; ');
  } catch (error) {
    problem = `${problem}; ${text(error)}`;
  }
  return { settings: NO_SETTINGS, origin: 'none', problem };
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
