import { parentPort, workerData } from 'node:worker_threads';
import { createLineMemo, type LineMemo } from './line-memo.ts';
import type { ScanMessage, ScannedLines, ScanRequest } from './scan.ts';
import { followFile } from './tail.ts';

// Reads a file for `scanFile`, in a thread of its own. It ends with its file, or with whoever started it.

/** Batches that may be on their way: the first ones take longer to be worked on than to be read, the last ones less. */
const MOST_UNDER_WAY = 16;
/** Lines that are numbered until the numbers begin anew, at the next batch. */
const MOST_NUMBERS = 100_000;
const LINE_FEED = 10;

const port = parentPort;
if (!port) throw new Error('found no parent, wanted to be started as a thread');
let underWay = 0;
let goOn: () => void = () => {};
port.on('message', () => {
  underWay -= 1;
  goOn();
});
try {
  await scan(workerData as ScanRequest, async (message, transfer) => {
    port.postMessage(message, transfer);
    underWay += 1;
    while (underWay >= MOST_UNDER_WAY) await new Promise<void>((resolve) => (goOn = resolve));
  });
  port.postMessage({ end: null } satisfies ScanMessage);
} catch (error) {
  port.postMessage({ end: error instanceof Error ? error.message : String(error) } satisfies ScanMessage);
}
port.close();

async function scan(
  { path }: ScanRequest,
  post: (message: ScanMessage, transfer: ArrayBuffer[]) => Promise<void>,
): Promise<void> {
  const known = createLineMemo<number>();
  let count = 0;
  const batches = followFile({ path, follow: false, from: 'start', signal: new AbortController().signal });
  for await (const { bytes, ...batch } of batches) {
    const isAnew = count > MOST_NUMBERS;
    if (isAnew) {
      known.clear();
      count = 0;
    }
    const lines = numberLines(bytes, known, count);
    count += lines.freshEnds.length;
    // They were made with buffers of their own.
    const transfer = [lines.numbers, lines.starts, lines.fresh, lines.freshEnds].map(
      ({ buffer }) => buffer as ArrayBuffer,
    );
    await post({ batch: { ...batch, ...lines, isAnew, length: bytes.length } }, transfer);
  }
}

/** Numbers the lines of a batch; those that are new get the numbers from `next` on, in their order. */
function numberLines(
  bytes: Buffer,
  known: LineMemo<number>,
  next: number,
): Pick<ScannedLines, 'numbers' | 'starts' | 'fresh' | 'freshEnds'> {
  const numbers: number[] = [];
  const starts: number[] = [];
  const fresh = Buffer.allocUnsafeSlow(bytes.length);
  const freshEnds: number[] = [];
  let length = 0;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    let number = known.find(bytes, start, end);
    if (number === undefined) {
      number = next + freshEnds.length;
      known.keep(bytes, start, end, number);
      length += bytes.copy(fresh, length, start, end);
      freshEnds.push(length);
    }
    numbers.push(number);
    starts.push(start);
    start = end + 1;
  }
  return {
    numbers: Int32Array.from(numbers),
    starts: Int32Array.from(starts),
    fresh: Uint8Array.from(fresh.subarray(0, length)),
    freshEnds: Int32Array.from(freshEnds),
  };
}
