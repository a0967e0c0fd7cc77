import type { z } from 'zod';
import type { Fault } from '../../core/config.ts';
import { choice, integer, option, text } from '../../core/fields.ts';
import { writerSection } from '../../core/writer-config.ts';
import { durationMs } from '../../lib/duration.ts';
import { address, addressProblem, maybeText, nullable, thrownFault } from '../fields.ts';
import { type Overrides, overridesField, parseOverrides, splitOverrides } from './overrides.ts';

const EXAMPLE = 'http://broker-ingress.knative-eventing.svc.cluster.local/default/default';

/** What `timeout` is if nobody says otherwise; then `$K_SINK_TIMEOUT` is asked. */
const DEFAULT_TIMEOUT = '30s';

/** `writers.cloudevents`. */
export const cloudeventsConfig = writerSection(
  'CloudEvents over HTTP, to Knative or any other sink: one request per event.',
  {
    url: option(
      address({ example: EXAMPLE }),
      null,
      'Address of the sink, with its path. Null: `$K_SINK`, as a SinkBinding of Knative sets it.',
    ),
    mode: option(
      choice('binary', 'structured'),
      'binary',
      '`binary`: attributes as headers, the data as body; `structured`: all of it as one JSON object.',
    ),
    overrides: option(
      overridesField(),
      null,
      'Extensions that are set in every event, such as `{ cluster: north }`. Null: `$K_CE_OVERRIDES`.',
    ),
    source: option(
      nullable(text()),
      null,
      '`source` of events that have none of their own. Null: `/trailgauge/` and the name of the section they come from.',
    ),
    concurrency: option(integer(1, 100), 4, 'Most requests at the same time.'),
    ca: option(
      maybeText(),
      null,
      'File of certificates (PEM) to trust beside the usual ones. Null: those in `$K_CA_CERTS`, which is PEM text.',
    ),
  },
);

/** A validated `writers.cloudevents`. */
export type CloudEventsConfig = z.output<typeof cloudeventsConfig>;

/** A sink, with what the environment says of it. */
export interface SinkTarget {
  readonly url: string;
  readonly timeoutMs: number;
  /** Certificates to trust: in a file, or as PEM text. */
  readonly ca: { readonly file: string } | { readonly pem: string } | null;
  readonly overrides: Overrides;
  /** Names in the overrides that have no effect, as they tell events apart. */
  readonly ignored: readonly string[];
  /** Whether the token that Knative puts into a file is meant for this sink. */
  readonly hasToken: boolean;
}

/** What is wrong where nothing says where events go. */
export const NO_TARGET = `found neither url nor $K_SINK, wanted an address such as ${EXAMPLE}`;

/** Whether anything says where events go. A SinkBinding may come later, and with it another environment. */
export function hasTarget({ url }: CloudEventsConfig, env: NodeJS.ProcessEnv): boolean {
  return Boolean(url ?? env.K_SINK);
}

/** Where events go. Throws if neither the configuration nor the environment says, or says what cannot be. */
export function targetOf(config: CloudEventsConfig, env: NodeJS.ProcessEnv): SinkTarget {
  const url = config.url ?? env.K_SINK;
  if (!url) throw new Error(NO_TARGET);
  const problem = config.url === null ? addressProblem(url, { example: EXAMPLE }) : null;
  if (problem !== null) throw new Error(`$K_SINK: ${problem}`);
  const { extensions, ignored } = splitOverrides(overridesOf(config, env));
  return {
    url,
    timeoutMs: timeoutOf(config, env),
    ca: config.ca !== null ? { file: config.ca } : env.K_CA_CERTS ? { pem: env.K_CA_CERTS } : null,
    overrides: extensions,
    ignored,
    hasToken: !env.K_SINK || isSameOrigin(url, env.K_SINK),
  };
}

/** What the environment says wrongly; that it says nothing is told when it is needed. */
export function environmentFault(config: CloudEventsConfig, env: NodeJS.ProcessEnv): Fault | null {
  return hasTarget(config, env) ? thrownFault(() => targetOf(config, env)) : null;
}

function overridesOf({ overrides }: CloudEventsConfig, env: NodeJS.ProcessEnv): Overrides {
  const parsed = parseOverrides(overrides ?? env.K_CE_OVERRIDES ?? '');
  if ('extensions' in parsed) return parsed.extensions;
  throw new Error(`${overrides === null ? '$K_CE_OVERRIDES' : 'overrides'}: ${parsed.problem}`);
}

function timeoutOf({ timeout }: CloudEventsConfig, env: NodeJS.ProcessEnv): number {
  const told = env.K_SINK_TIMEOUT?.trim() ?? '';
  if (timeout !== DEFAULT_TIMEOUT || told === '') return durationMs(timeout);
  const seconds = /^[0-9]{1,6}$/.test(told) ? Number(told) : 0;
  if (seconds < 1 || seconds > 86_400) {
    throw new Error(`$K_SINK_TIMEOUT: found ${JSON.stringify(told.slice(0, 40))}, wanted seconds from 1 to 86400`);
  }
  return seconds * 1_000;
}

/** The token was made out to `$K_SINK`; another server would get to know it. */
function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
