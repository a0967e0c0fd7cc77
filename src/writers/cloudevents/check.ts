import type { Finding } from '../../core/source.ts';
import { shownUrl } from '../../lib/http.ts';
import { explained } from '../hints.ts';
import { judge } from './answer.ts';
import type { SinkTarget } from './config.ts';
import type { Sink } from './sink.ts';

export interface SinkCheck {
  /** Throws if nothing says where events go. */
  readonly target: () => SinkTarget;
  readonly open: (target: SinkTarget) => Sink;
  readonly signal: AbortSignal;
}

/** For `doctor`: whether anybody answers. No event is sent: a sink would take it for one. */
export async function* checkSink({ target, open, signal }: SinkCheck): AsyncGenerator<Finding> {
  let sink: Sink | null = null;
  try {
    const where = target();
    sink = open(where);
    await sink.prepare();
    const answer = await sink.send({ method: 'OPTIONS', signal });
    const at = shownUrl(where.url);
    const { status } = answer;
    // What it says to this says nothing of events, but for a redirect, which is made for all that is asked.
    const isRedirect = status >= 300 && status < 400;
    if (isRedirect) yield { ok: false, detail: `${at}: ${judge(answer).text}` };
    else yield { ok: true, detail: `${at}: the server answers (HTTP ${status} to OPTIONS); no event was sent` };
  } catch (error) {
    yield { ok: false, detail: explained(error) };
  } finally {
    sink?.close();
  }
}
