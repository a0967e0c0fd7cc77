import {
  type AnyWriter,
  defineWriter,
  type OpenedWriter,
  unableWriter,
  type WriterContext,
} from '../../core/writer.ts';
import type { Pace } from '../../lib/retry.ts';
import { held, messageOf as messageOfError, startTally } from '../tally.ts';
import { checkSink } from './check.ts';
import {
  type CloudEventsConfig,
  cloudeventsConfig,
  environmentFault,
  hasTarget,
  NO_TARGET,
  type SinkTarget,
  targetOf,
} from './config.ts';
import { noProof } from './doubt.ts';
import { cloudEvent } from './event.ts';
import { KNATIVE_PLACES, type MountedPlaces } from './mounted.ts';
import { messageOf } from './request.ts';
import { openSink, type Sink } from './sink.ts';
import { sendEvents } from './write.ts';

/** A sink is slow to refuse and quick to be back, so it is asked sooner than a server that stores. */
const PACE: Pace = { firstMs: 250, maxMs: 30_000, holdMs: 30_000, maxHoldMs: 300_000 };

/** Events that are given at once: each is a request, and none is counted before all of them are done with. */
const AT_ONCE = 100;

/** CloudEvents over HTTP: Knative, and every other sink of its kind. */
export const cloudevents = cloudeventsIn(KNATIVE_PLACES);

/** The writer, with the places where it looks for what Knative mounts. */
export function cloudeventsIn(places: MountedPlaces): AnyWriter {
  return defineWriter<CloudEventsConfig>({
    type: 'cloudevents',
    summary: 'CloudEvents over HTTP, to Knative or any other sink: one request per event.',
    repeats: 'The same event, byte by byte; `source` and `id` tell consumers that they have it.',
    atOnce: AT_ONCE,
    pace: PACE,
    config: cloudeventsConfig,
    against: (config, _core, env) => environmentFault(config, env),
    open: (config, context) => openCloudEvents(config, context, places),
    check: (config, context, signal) =>
      checkSink({
        target: () => targetOf(config, context.env),
        open: (target) => openSink({ target, places, now: context.now }),
        signal,
      }),
  });
}

function openCloudEvents(config: CloudEventsConfig, context: WriterContext, places: MountedPlaces): OpenedWriter {
  const { env, log, now } = context;
  if (!hasTarget(config, env)) return unableWriter(NO_TARGET);
  const target: SinkTarget = targetOf(config, env);
  const { source, mode, concurrency } = config;
  const { overrides, ignored } = target;
  if (ignored.length > 0) log.warn({ names: ignored }, 'overrides cannot replace these attributes, and leave them');
  const sink: Sink = openSink({ target, places, now });
  const doubt = noProof(() => performance.now());
  return {
    write: async (events, signal) => {
      const problem = await sink.prepare().then(() => null, messageOfError);
      if (problem !== null) {
        sink.forget();
        return startTally().written(held(problem));
      }
      const { unanswered, ...written } = await sendEvents(events, {
        message: (event) => messageOf(cloudEvent(event, { source, overrides }), mode),
        post: ({ headers, body }) => sink.send({ method: 'POST', headers, body, signal }),
        concurrency,
        doubt,
      });
      // The token may have been replaced, or the certificate of a server that is not trusted.
      if (unanswered || (written.kind === 'later' && written.hold)) sink.forget();
      return written;
    },
    close: async () => sink.close(),
  };
}
