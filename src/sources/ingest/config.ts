import { BlockList, isIP } from 'node:net';
import * as z from 'zod';
import type { CoreParts, Fault } from '../../core/config.ts';
import { described, fieldMeta, option, type Secret, secret, section, size } from '../../core/fields.ts';

/** What every receiver has. */
export interface ReceiverConfig {
  readonly token: Secret | null;
  readonly max_body: string | number;
}

/** A validated `sources.ingest`: null for a receiver that is off. */
export interface IngestConfig {
  readonly cloudevents: ReceiverConfig | null;
}

/** The receivers, in the order of the documentation. */
export const RECEIVERS = ['cloudevents'] as const satisfies readonly (keyof IngestConfig)[];

/** `sources.ingest`. */
export const ingestConfig: z.ZodType<IngestConfig> = section(
  "What is pushed to this program's own port; each receiver is off until it is named.",
  { cloudevents: receiver('CloudEvents over HTTP, such as of a Knative Trigger, at `/ingest/cloudevents`.') },
);

/** What is wrong with a section: none of its receivers is on, or one of them would count what anybody sends it. */
export function faultOf(config: IngestConfig, { listen }: CoreParts): Fault | null {
  const on = RECEIVERS.filter((name) => config[name] !== null);
  const wish = `wanted at least one of ${RECEIVERS.map((name) => `${name}: {}`).join(', ')}`;
  if (on.length === 0) return [[], `found no receiver, ${wish}`];
  const name = on.find((one) => config[one]?.token === null);
  if (name === undefined || listen.address === undefined || isLoopback(listen.address)) return null;
  const remedy = 'wanted a token, or an address that only this machine can reach, such as 127.0.0.1';
  return [[name, 'token'], `found none, with listen.address ${JSON.stringify(listen.address)}, ${remedy}`];
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version === 0 ? address === 'localhost' : LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

function receiver(doc: string): z.ZodType<ReceiverConfig | null> {
  const inner = section(doc, {
    token: option<Secret | null>(
      described(secret().nullable(), fieldMeta(secret()) ?? {}),
      null,
      'What a sender has to show, as `Authorization: Bearer TOKEN` or `?token=TOKEN`. Null: nothing, on a loopback address alone.',
    ),
    max_body: option(size(), '8MiB', 'Largest body that is taken, before and after it is unpacked.'),
  });
  // Unlike in other sections, nothing is not all of the defaults.
  const maybe = z.preprocess((value) => value ?? null, inner.nullable()) as unknown as z.ZodType<ReceiverConfig | null>;
  return described(maybe, fieldMeta(inner) ?? {});
}
