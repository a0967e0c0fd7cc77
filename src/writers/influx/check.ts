import type { Finding } from '../../core/source.ts';
import type { HttpAnswer } from '../../lib/http.ts';
import { shownUrl } from '../../lib/http.ts';
import { type Connection, strangeAnswer } from '../connection.ts';
import { explained } from '../hints.ts';
import { judgeWrite } from './answer.ts';
import { type InfluxSecret, type InfluxTarget, writeRequest } from './request.ts';

export interface InfluxCheck {
  /** Throws if the configuration does not say where points go. */
  readonly target: () => InfluxTarget;
  readonly connection: Connection<InfluxSecret>;
  readonly signal: AbortSignal;
}

/**
 * For `doctor`: a write of nothing. All servers look at the credentials and at the bucket or database before they look
 * at the lines, so this tells all that a real one would, and stores nothing.
 */
export async function* checkInflux({ target, connection, signal }: InfluxCheck): AsyncGenerator<Finding> {
  try {
    const where = target();
    const send = await connection.prepare(signal);
    yield judgeCheck(where, await send((secret) => writeRequest(where, secret, [])));
  } catch (error) {
    yield { ok: false, detail: explained(error) };
  } finally {
    connection.close();
  }
}

function judgeCheck(target: InfluxTarget, answer: HttpAnswer): Finding {
  const { status, headers } = answer;
  const place = target.database === undefined ? `bucket ${target.bucket}` : `database ${target.database}`;
  const at = shownUrl(writeRequest(target, {}, []).url);
  const strange = strangeAnswer(answer);
  if (strange !== null) return { ok: false, detail: `${at}: ${strange}` };
  const version = headers['x-influxdb-version'];
  const name = typeof version === 'string' ? ` (it says InfluxDB ${version.slice(0, 40)})` : '';
  const verdict = judgeWrite(answer, []);
  // Version 2 and 3 want a point at least, and say so once all else is right.
  const wantsPoints = status === 400 && 'text' in verdict && /\bpoints\b|empty|no data/i.test(verdict.text);
  if (verdict.kind === 'done' || wantsPoints)
    return { ok: true, detail: `${at}: points for ${place} are taken${name}` };
  return { ok: false, detail: `${at}: ${verdict.kind === 'partial' ? '' : verdict.text}; ${wish(status, place)}` };
}

function wish(status: number, place: string): string {
  if (status === 401 || status === 403) return `wanted a token, or a user and password, that may write to ${place}`;
  if (status === 404) return `wanted ${place} to be there: create it, or set url, org and bucket or database right`;
  if (status === 429 || status >= 500) return 'the server is there, but cannot write at the moment';
  return 'wanted HTTP 204: is url the address of InfluxDB or VictoriaMetrics, and are org and bucket or database right?';
}
