import { defineWriter, type OpenedWriter, type WriterContext } from '../../core/writer.ts';
import { durationMs } from '../../lib/duration.ts';
import { type Connection, openConnection } from '../connection.ts';
import { held, messageOf, startTally } from '../tally.ts';
import { checkInflux } from './check.ts';
import { type InfluxConfig, influxConfig, secretOf, targetOf } from './config.ts';
import { encodeEvent } from './point.ts';
import { type InfluxSecret, writeRequest } from './request.ts';
import { writePoints } from './write.ts';

/** InfluxDB, and what takes its line protocol. */
export const influx = defineWriter<InfluxConfig>({
  type: 'influx',
  summary: 'InfluxDB 1, 2 and 3, VictoriaMetrics: one point for each event.',
  repeats:
    'InfluxDB: a point replaces itself. VictoriaMetrics: counted twice, unless `-dedup.minScrapeInterval` is set.',
  config: influxConfig,
  open: openInflux,
  check: (config, context, signal) =>
    checkInflux({ target: () => targetOf(config), connection: connect(config, context), signal }),
});

function openInflux(config: InfluxConfig, context: WriterContext): OpenedWriter {
  const target = targetOf(config);
  const connection = connect(config, context);
  return {
    write: async (events, signal) => {
      const send = await connection.prepare(signal).catch((error: unknown) => messageOf(error));
      if (typeof send === 'string') return startTally().written(held(send));
      const written = await writePoints(events, {
        encode: (event) => encodeEvent(event, config),
        send: (lines) => send((secret) => writeRequest(target, secret, lines)),
      });
      // What was refused may be a secret that has been replaced, or a server with a new certificate.
      if (written.kind === 'later') connection.forget();
      return written;
    },
    close: async () => connection.close(),
  };
}

function connect(config: InfluxConfig, { env, now }: WriterContext): Connection<InfluxSecret> {
  const { ca, timeout } = config;
  return openConnection({ timeoutMs: durationMs(timeout), ca, now, readSecret: () => secretOf(config, env) });
}
