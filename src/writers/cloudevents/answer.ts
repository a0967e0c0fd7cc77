import { type HttpAnswer, shownUrl } from '../../lib/http.ts';

/**
 * What an answer means for its event:
 * - `done`: the sink has it.
 * - `again`: the same once more, after a while; for ever.
 * - `refused`: this event is not taken, if the sink takes others.
 * - `hold`: nothing goes until somebody has put something right.
 */
export interface Verdict {
  readonly kind: 'done' | 'again' | 'refused' | 'hold';
  readonly reason: 'rejected' | 'too_large';
  /** In one line; bodies of answers are never looked at. */
  readonly text: string;
}

/** Reads an answer by its status. */
export function judge({ status, headers }: Pick<HttpAnswer, 'status' | 'headers'>): Verdict {
  const reason = TOO_LARGE.has(status) ? 'too_large' : 'rejected';
  const text = `HTTP ${status}${wish(status, headers.location)}`;
  return { kind: kindOf(status), reason, text };
}

function kindOf(status: number): Verdict['kind'] {
  if (status >= 200 && status < 300) return 'done';
  if (status >= 500 || AGAIN.has(status)) return 'again';
  return REJECTED.has(status) || TOO_LARGE.has(status) ? 'refused' : 'hold';
}

/** 404: a Broker or Channel that is not ready yet; 409: the sink is busy with it. */
const AGAIN: ReadonlySet<number> = new Set([404, 408, 409, 429]);
const REJECTED: ReadonlySet<number> = new Set([400, 415, 422]);
/** 431: its attributes are too long for headers. */
const TOO_LARGE: ReadonlySet<number> = new Set([413, 431]);

function wish(status: number, location: string | undefined): string {
  if (status >= 300 && status < 400) {
    const to = location !== undefined && URL.canParse(location) ? ` to ${shownUrl(location)}` : '';
    return `${to}: redirects are not followed; wanted the address itself as url`;
  }
  if (status === 401 || status === 403) return ': wanted a token in /oidc/token that may send to this sink';
  if (status === 404) return ': the sink is not there (yet); does url lack its path?';
  if (REJECTED.has(status)) return ': the sink refuses the event';
  if (TOO_LARGE.has(status)) return ': the event is too large for the sink';
  return kindOf(status) === 'hold' ? ': this is no sink for events; is url right?' : '';
}
