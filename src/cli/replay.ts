import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A line of a recording: milliseconds after the first one, and what follows its time. */
interface Recorded {
  readonly at: number;
  readonly text: string;
}

export interface Replay {
  readonly recording: string;
  /** Written to as a daemon would. */
  readonly target: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Milliseconds between the end of a recording and its next beginning. */
const PAUSE_MS = 2_000;
/** Lines written together are those of so many milliseconds. */
const TICK_MS = 100;

/** Makes the target an empty log. */
export async function prepareReplay({ target }: Replay): Promise<void> {
  await writeFile(target, '');
}

/** Writes a recording again and again at its own pace, with the times of now, until it is stopped. */
export async function replay({ recording, target, now, signal }: Replay): Promise<void> {
  const lines = readRecording(await readFile(recording, 'utf8'));
  const length = (lines.at(-1)?.at ?? 0) + PAUSE_MS;
  const began = now();
  for (let round = 0, next = 0; !signal.aborted; ) {
    const time = now() - began - round * length;
    let text = '';
    for (let line = lines[next]; line && line.at <= time; line = lines[++next]) {
      text += `${new Date(began + round * length + line.at).toISOString()} ${line.text}\n`;
    }
    if (text !== '') await appendFile(target, text);
    if (next === lines.length) {
      next = 0;
      round += 1;
    }
    await delay(TICK_MS, undefined, { signal }).catch(() => {});
  }
}

function readRecording(text: string): readonly Recorded[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const timeOf = (line: string) => Date.parse(line.slice(0, line.indexOf(' ')));
  const first = timeOf(lines[0] ?? '');
  return lines.map((line) => ({ at: timeOf(line) - first, text: line.slice(line.indexOf(' ') + 1) }));
}
