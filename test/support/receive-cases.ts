import { readFileSync } from 'node:fs';
import { fixture } from './paths.ts';

/** A request to the receiver, and what has to come of it. */
export interface ReceiveCase {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `cts`: a trace. `generic`: anything else. */
  readonly kind?: 'cts' | 'generic';
  readonly events: number;
  readonly rejected?: Readonly<Record<string, number>>;
  readonly attributes?: Readonly<Record<string, string>>;
  /** What is shown instead of the right token; `query`: the right one, in the query. */
  readonly token?: string | null;
}

/** All cases of the fixture. */
export function receiveCases(): readonly ReceiveCase[] {
  const text = readFileSync(fixture('cts/cloudevents/receive.json'), 'utf8');
  // Ours, of this shape.
  return (JSON.parse(text) as { requests: ReceiveCase[] }).requests.map((each) => ({
    ...each,
    body: bodyOf(each.body),
  }));
}

function bodyOf(body: unknown): string {
  return typeof body === 'string' ? body : Buffer.from((body as { base64: string }).base64, 'base64').toString();
}
