import type { Catalogue } from '../../core/metrics/define.ts';
import {
  busyAnswer,
  type PushedAnswer,
  type PushedHead,
  type PushedRequest,
  type Receiver,
} from '../../core/receiver.ts';
import type { Remark, SourceContext } from '../../core/source.ts';
import { sizeBytes } from '../../lib/size.ts';
import type { Channel } from './channel.ts';
import type { ReceiverConfig } from './config.ts';
import type { IngestItem, Verdict } from './item.ts';
import { shownTokens, tokenCheck } from './token.ts';
import { type Unpacked, unpacker } from './unpack.ts';

/** What tells one receiver from another: what it is sent, and how it answers. */
export interface Format {
  /** As its section is called: the last part of its path. */
  readonly name: string;
  readonly methods: readonly string[];
  /** The answer to what asks for something else than to take events, whoever asks; null for all else. */
  greet(head: PushedHead): PushedAnswer | null;
  /** The answer to what it cannot be sent, or null. */
  refuse(head: PushedHead): PushedAnswer | null;
  /** The items of a body; what is refused as a whole is one refused item. */
  items(head: PushedHead, body: Buffer, verdict: Verdict): readonly IngestItem[];
  /** The answer to what was counted and saved, or refused. */
  answer(verdict: Verdict, items: readonly IngestItem[]): PushedAnswer;
}

export interface ReceiveOptions {
  readonly format: Format;
  readonly config: ReceiverConfig;
  readonly channel: Channel;
  readonly context: Pick<SourceContext<Catalogue>, 'name' | 'env' | 'now' | 'report'>;
}

/** A receiver, and what it has to say of itself. */
export interface Received {
  readonly receiver: Receiver;
  remark(): Remark;
}

/** A failure to read the token is told at most so often, in milliseconds. */
const TOLD_MS = 60_000;

/** Where a section receives what a format is of: `/ingest/cloudevents`, or `/ingest/NAME/cloudevents` of a named one. */
export function pathOf(section: string, format: string): string {
  return `/${section}/${format}`;
}

/** Receives requests of a format: checks the token, unpacks, and answers once all is counted and saved. */
export function openReceiver({ format, config, channel, context }: ReceiveOptions): Received {
  const { now, report } = context;
  const path = pathOf(context.name, format.name);
  const maxBody = sizeBytes(config.max_body);
  const isRight = tokenCheck({ token: config.token, env: context.env, now });
  const unpack = unpacker(maxBody);
  let requests = 0;
  let refusals = 0;
  let last: { readonly time: number; readonly why: string } | null = null;
  let told = Number.NEGATIVE_INFINITY;

  function refused(why: string): void {
    refusals += 1;
    last = { time: now(), why };
  }

  function refuse(answer: PushedAnswer): PushedAnswer {
    refused(`${answer.status}, ${answer.body ?? 'refused'}`);
    return answer;
  }

  /** Null if the token is the right one. */
  async function checkToken(head: PushedHead): Promise<PushedAnswer | null> {
    try {
      return (await isRight(shownTokens(head))) ? null : refuse(UNAUTHORIZED);
    } catch (error) {
      if (now() - told >= TOLD_MS) report.error(`cannot read the token of ${format.name}`, error);
      told = now();
      return refuse(busyAnswer('the token cannot be read here'));
    }
  }

  async function handle(request: PushedRequest): Promise<PushedAnswer> {
    const encoding = request.headers['content-encoding'];
    const body = await unpack(request.body, typeof encoding === 'string' ? encoding : encoding?.join(','));
    if (body === 'unknown' || body === 'too_large') return refuse(UNPACKABLE[body]);
    let items: readonly IngestItem[] = [];
    const verdict = await channel.push({
      bytes: request.body.length,
      size: body.length,
      items: (verdict) => (items = itemsOf(request, body, verdict)),
    });
    if (verdict === null) return refuse(busyAnswer('what was sent cannot be saved now'));
    const answer = format.answer(verdict, items);
    return answer.status < 400 ? answer : refuse(answer);
  }

  function itemsOf(head: PushedHead, body: Exclude<Unpacked, 'unknown' | 'too_large'>, verdict: Verdict) {
    return body === 'broken' ? [{ found: MALFORMED, text: MALFORMED.why, verdict }] : format.items(head, body, verdict);
  }

  return {
    receiver: {
      path,
      maxBody,
      methods: format.methods,
      admit: async (head) => {
        const greeting = format.greet(head);
        if (greeting) return greeting;
        requests += 1;
        const stranger = await checkToken(head);
        const refusal = stranger ? null : format.refuse(head);
        return stranger ?? (refusal && refuse(refusal));
      },
      handle,
      refused,
    },
    remark: () => {
      const asked = `${path}: ${requests} requests, ${refusals} refused`;
      const when = last && `, the last of them at ${new Date(last.time).toISOString()}: ${last.why}`;
      return { text: `${asked}${when ?? ''}`, bad: false };
    },
  };
}

const MALFORMED = { rejected: 'malformed', why: 'found a body that is no sound gzip' } as const;

const UNAUTHORIZED: PushedAnswer = {
  status: 401,
  headers: { 'WWW-Authenticate': 'Bearer realm="trailgauge"' },
  body: 'wanted the configured token',
};

const UNPACKABLE: Readonly<Record<'unknown' | 'too_large', PushedAnswer>> = {
  unknown: { status: 415, headers: { 'Accept-Encoding': 'gzip' }, body: 'wanted no Content-Encoding but gzip' },
  too_large: { status: 413, body: 'the body unpacks to more than max_body' },
};
