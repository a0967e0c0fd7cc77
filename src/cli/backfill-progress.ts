import type { Progress } from '../backfill.ts';
import type { Io } from './io.ts';

/** Characters of the bar. */
const BAR = 30;

/** One line on a terminal that tells how far a backfill is; nothing elsewhere. */
export function progressBar(stderr: Io['stderr']): { show(progress: Progress): void; clear(): void } {
  if (stderr.isTTY !== true) return { show: () => {}, clear: () => {} };
  return {
    // The cursor goes back to the beginning of the line, so that a line of the log takes its place.
    show: (progress) => void stderr.write(`\r\x1b[K${progressText(progress)}\r`),
    clear: () => void stderr.write('\r\x1b[K'),
  };
}

function progressText({ events, newest, series, written }: Progress): string {
  const count = `${events.toLocaleString('en')} events, ${series.toLocaleString('en')} series`;
  if (written === null) {
    return `reading  ${count}${newest === null ? '' : `, at ${new Date(newest).toISOString().slice(0, 19)}Z`}`;
  }
  const part = Math.min(1, written);
  const full = Math.round(part * BAR);
  return `writing  [${'#'.repeat(full)}${' '.repeat(BAR - full)}] ${Math.floor(part * 100)} %  ${count}`;
}
