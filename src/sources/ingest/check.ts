import type { Finding } from '../../core/source.ts';
import { readSecret } from '../../lib/secrets.ts';
import { type IngestConfig, RECEIVERS, type ReceiverConfig } from './config.ts';
import { pathOf } from './receive.ts';

/** Tells where each receiver of a section is, and whether its token can be read. */
export async function* check(
  config: IngestConfig,
  _signal: AbortSignal,
  env: NodeJS.ProcessEnv,
): AsyncGenerator<Finding> {
  for (const receiver of RECEIVERS) {
    const section = config[receiver];
    if (section !== null) yield checked(placeOf(receiver), section, env);
  }
}

/** Who checks does not know what the section is called. */
function placeOf(receiver: string): string {
  return `receives at ${pathOf('ingest', receiver)} (as ingest/NAME: ${pathOf('ingest/NAME', receiver)})`;
}

async function checked(place: string, { token }: ReceiverConfig, env: NodeJS.ProcessEnv): Promise<Finding> {
  if (token === null) return { ok: true, detail: `${place}, from this machine alone, as no token is set` };
  try {
    await readSecret(token, env);
    return { ok: true, detail: `${place}, with a token` };
  } catch (error) {
    return { ok: false, detail: `${place}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
