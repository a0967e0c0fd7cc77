import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

export interface TraceReplay {
  /** A trace as JSON in each line, with its times in milliseconds since the beginning, in their order. */
  readonly recording: string;
  readonly now: () => number;
}

/** A service that tells of traces. */
export interface TraceService {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  close(): Promise<void>;
}

interface Trace {
  readonly trace_id: string;
  readonly time: number;
  readonly record_time: number;
}

/** From the end of a recording to its next beginning, in milliseconds. */
const PAUSE_MS = 3_000;
const PATH = /^\/v3\/[^/?]+\/traces\/?$/;

/**
 * Answers as Open Telekom Cloud's CTS does (`GET /v3/{project}/traces`), out of a recording that begins again and again, as
 * if all that it tells happened now. Whoever asks is answered.
 */
export async function replayTraces({ recording, now }: TraceReplay): Promise<TraceService> {
  const traces = (await readFile(recording, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Trace);
  const length = (traces.at(-1)?.time ?? 0) + PAUSE_MS;
  const began = now();
  /** Traces whose time of recording lies between two times, the newest first. */
  const between = (from: number, to: number): readonly Trace[] => {
    const found: Trace[] = [];
    const last = Math.floor((Math.min(to, now()) - began) / length);
    for (let round = Math.max(0, Math.floor((from - began) / length) - 1); round <= last; round++) {
      for (const trace of traces) {
        const shown = shifted(trace, began + round * length, round);
        if (shown.record_time > from && shown.record_time < to && shown.record_time <= now()) found.push(shown);
      }
    }
    return found.sort((a, b) => b.record_time - a.record_time);
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method !== 'GET' || !PATH.test(pathname)) {
      response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"error_code":"CTS.0404"}');
      return;
    }
    const [from, to, limit] = ['from', 'to', 'limit'].map((name) => Number(searchParams.get(name)));
    const found = between(from ?? 0, to ?? 0);
    const start = found.findIndex(({ trace_id }) => trace_id === searchParams.get('next')) + 1;
    const page = found.slice(start, start + Math.min(limit || 10, 200));
    const body = JSON.stringify({
      traces: page,
      meta_data: { count: page.length, marker: page.at(-1)?.trace_id ?? null },
    });
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A trace with its times moved on, and with an id of its own in each round. */
function shifted(trace: Trace, shift: number, round: number): Trace {
  return {
    ...trace,
    trace_id: trace.trace_id.replace('@@@@@@@@', (round + 1).toString(16).padStart(8, '0')),
    time: trace.time + shift,
    record_time: trace.record_time + shift,
  };
}
