import { parseJson } from '../json-value.ts';
import { badShape, malformed, type Received, structured, utf8 } from './received.ts';

/** Most events of a batch. */
const MOST_MEMBERS = 10_000;

/** The events of a batch (`application/cloudevents-batch+json`), each for itself; one refusal for what is no list, or too long a one. */
export function batched(body: Buffer): readonly Received[] {
  const value = jsonOf(body);
  if (value === undefined) return [BROKEN];
  if (!Array.isArray(value)) return [badShape('found a batch that is no JSON list')];
  if (value.length <= MOST_MEMBERS) return value.map(structured);
  return [badShape(`found a batch of ${value.length} events, wanted at most ${MOST_MEMBERS}`)];
}

/** The event of a body in its structured form (`application/cloudevents+json`). */
export function single(body: Buffer): Received {
  const value = jsonOf(body);
  return value === undefined ? BROKEN : structured(value);
}

/** The events of a file: one, a list of them, or on each line one or a list. */
export function* recorded(input: Buffer): Generator<Received> {
  const whole = jsonOf(input);
  if (whole !== undefined) {
    yield* listed(whole);
    return;
  }
  let at = 0;
  while (at < input.length) {
    const found = input.indexOf(0x0a, at);
    const end = found < 0 ? input.length : found;
    const line = input.subarray(at, end);
    at = end + 1;
    if (line.every((byte) => byte <= 0x20)) continue;
    const value = jsonOf(line);
    if (value === undefined) yield BROKEN;
    else yield* listed(value);
  }
}

const BROKEN = malformed('found no JSON, or none in UTF-8');

function listed(value: unknown): readonly Received[] {
  return Array.isArray(value) ? value.map(structured) : [structured(value)];
}

function jsonOf(bytes: Buffer): unknown {
  const text = utf8(bytes);
  return text === null ? undefined : parseJson(text);
}
