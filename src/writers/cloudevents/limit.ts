import type { DataMap } from '../event-data.ts';
import { toJson } from './json.ts';

/** Brokers are bound to forward events of 64 KiB; what is above this is made smaller. In bytes. */
const EVENT_BYTES = 60 * 1024;

/** What is left of a long request or response at first, in bytes. */
const CUT_BYTES = 8 * 1024;

const LONG = ['request', 'response'] as const;

/**
 * The JSON text of a trace, in an event that has so many bytes beside it. Above 60 KiB `request` and `response` are cut
 * to 8 KiB of text each, and left out if that is not enough. What is still larger is the sink's to judge.
 */
export function traceText(trace: DataMap, others: number): string {
  let text = toJson(trace);
  if (isSmall(text, others)) return text;
  text = toJson(cut(trace));
  if (isSmall(text, others)) return text;
  return toJson(Object.fromEntries(Object.entries(trace).filter(([name]) => !LONG.some((one) => one === name))));
}

function isSmall(text: string, others: number): boolean {
  return Buffer.byteLength(text) + others <= EVENT_BYTES;
}

function cut(trace: DataMap): DataMap {
  const shorter = LONG.flatMap((name) => {
    const value = trace[name];
    if (value === undefined || value === null) return [];
    const text = typeof value === 'string' ? value : toJson(value);
    return Buffer.byteLength(text) > CUT_BYTES ? [[name, cutText(text)] as const] : [];
  });
  return { ...trace, ...Object.fromEntries(shorter) };
}

/** At most 8 KiB with the `…` at its end; no character is cut in two. */
function cutText(text: string): string {
  const mark = '…';
  const bytes = Buffer.from(text, 'utf8').subarray(0, CUT_BYTES - Buffer.byteLength(mark) + 1);
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}${mark}`;
}
