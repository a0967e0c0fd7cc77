import { isObject } from '../../lib/json-value.ts';
import { parseTraces } from './exact.ts';
import { isTrace } from './trace.ts';

/** An item of recorded input as an answer has it; of a line that is no JSON, its text. */
export interface InputItem {
  readonly item: unknown;
  readonly isMalformed: boolean;
}

/**
 * The items of recorded input: an answer page, a list of traces, one trace, `{"cts":{…}}` around one, or any of these on
 * each line. UTF-8 with or without a byte order mark; bytes that are none become U+FFFD.
 */
export function* splitInput(input: Buffer): Generator<InputItem, void> {
  const text = new TextDecoder().decode(input);
  const whole = parseTraces(text);
  if (whole !== undefined) {
    yield* itemsOf(whole);
    return;
  }
  for (let from = 0; from < text.length; ) {
    const feed = text.indexOf('\n', from);
    const end = feed < 0 ? text.length : feed;
    yield* lineItems(text.slice(from, end).trim());
    from = end + 1;
  }
}

function* lineItems(line: string): Generator<InputItem, void> {
  if (line === '') return;
  const value = parseTraces(line);
  if (value === undefined) yield { item: line, isMalformed: true };
  else yield* itemsOf(value);
}

function* itemsOf(value: unknown): Generator<InputItem, void> {
  if (Array.isArray(value)) {
    for (const item of value) yield itemOf(item);
    return;
  }
  if (isObject(value) && Object.hasOwn(value, 'traces') && (Array.isArray(value.traces) || value.traces === null)) {
    for (const item of value.traces ?? []) yield itemOf(item);
    return;
  }
  yield itemOf(value);
}

function itemOf(item: unknown): InputItem {
  const isWrapped = isObject(item) && isObject(item.cts) && !isTrace(item);
  return { item: isWrapped ? item.cts : item, isMalformed: false };
}
