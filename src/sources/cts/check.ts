import { type Finding, isRejected } from '../../core/source.ts';
import { type CtsClient, openCtsClient, type Place } from './access/client.ts';
import { type Credentials, readCredentials } from './access/credentials.ts';
import type { RequestReport } from './access/transport.ts';
import type { CtsConfig } from './config.ts';
import { ctsItem } from './item.ts';
import { type CtsSettings, ctsSettings } from './settings.ts';

/** A week of traces is looked at; older ones are gone in most clouds. */
const WEEK_MS = 7 * 86_400_000;
/** A busy project has too many to see them all. */
const MOST_PAGES = 25;
/** Clocks that differ by more are wrong. */
const SKEW_MS = 60_000;
/** Somebody sits and waits. */
const PATIENCE_MS = 5_000;

/** Tries what the section names: settings, sign-in, catalog, the traces of a week, and the clocks. */
export async function* checkCts(
  config: CtsConfig,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
  { now = Date.now, heard = () => {} }: { readonly now?: () => number; readonly heard?: () => void } = {},
): AsyncGenerator<Finding> {
  const requests: RequestReport[] = [];
  let client: CtsClient | null = null;
  try {
    const settings = ctsSettings(config, env);
    yield fine(`settings: a poll each ${seconds(settings.intervalMs)}, looking back ${seconds(settings.overlapMs)}`);
    for (const warning of settings.warnings) yield fine(warning);
    const credentials = await readCredentials(settings, env);
    yield fine(`credentials: ${shownCredentials(credentials)}`);
    const onRequest = (request: RequestReport) => {
      requests.push(request);
      heard();
    };
    client = openCtsClient({ settings, env, now, follow: false, patienceMs: PATIENCE_MS, onRequest });
    const place = await client.place(signal);
    if (isSignedIn(requests)) yield fine(SIGNED_IN);
    yield fine(shownPlace(place, settings));
    const seen = await look(client, settings, signal);
    yield fine(shownTraces(seen, place));
    if (!seen.iam) yield fine(NO_IAM);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    // Who signs in does so before the catalog is read.
    if (detail.startsWith('catalog: ') && isSignedIn(requests)) yield fine(SIGNED_IN);
    yield { ok: false, detail };
  } finally {
    await client?.close();
  }
  const aheadMs = client ? client.now() - now() : 0;
  if (Math.abs(aheadMs) > SKEW_MS) yield { ok: false, detail: wrongClock(aheadMs) };
}

const SIGNED_IN = 'sign-in: the password was accepted';
const NO_IAM =
  'no trace of IAM was seen in the last 7 days: log-ins may be in another project; try the main one of the region, which is named like it';

interface Seen {
  readonly traces: number;
  /** Newest `record_time`; 0 if none can be read. */
  readonly newest: number;
  readonly iam: boolean;
  /** There may be more. */
  readonly cut: boolean;
}

async function look(client: CtsClient, { retentionMs }: CtsSettings, signal: AbortSignal): Promise<Seen> {
  const now = client.now();
  const window = { from: now - Math.min(WEEK_MS, retentionMs) - 1, to: now + 1 };
  const ids = new Set<string>();
  let newest = 0;
  let iam = false;
  let next: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await client.list({ ...window, next }, signal);
    if ('undecodable' in page) throw new Error(page.undecodable);
    const before = ids.size;
    for (const item of page.items) {
      const { found, key } = ctsItem(item, { at: page.at, visible: false });
      if (isRejected(found)) continue;
      ids.add(key);
      iam ||= found.service === 'IAM';
      newest = Math.max(newest, found.recorded ?? found.time ?? 0);
    }
    const isEnd = page.marker === null || page.marker === next || ids.size === before;
    const found = { traces: ids.size, newest: newest, iam };
    if (isEnd || iam) return { ...found, cut: !isEnd };
    next = page.marker;
  }
  return { traces: ids.size, newest: newest, iam, cut: true };
}

function fine(detail: string): Finding {
  return { ok: true, detail };
}

function isSignedIn(requests: readonly RequestReport[]): boolean {
  return requests.some(({ operation, code }) => operation === 'auth_token' && /^20[01]$/.test(code));
}

function shownCredentials({ method, authUrl }: Credentials): string {
  const at = authUrl === null ? '' : `, at ${authUrl}`;
  if (method.kind === 'token') return `a fixed token${at}`;
  if (method.kind === 'aksk') return `access key ${method.ak.slice(0, 4)}…${at}`;
  const { user } = method;
  return `password of ${'id' in user ? `the user with id ${user.id}` : user.name}${at}`;
}

function shownPlace({ base, region, projectId, projectName }: Place, { endpoint }: CtsSettings): string {
  const project = projectName === null ? projectId : `${projectName} (${projectId})`;
  const where = `project ${project}${region === '' ? '' : `, region ${region}`}`;
  return `${endpoint === null ? 'catalog' : 'endpoint'}: the Cloud Trace Service is at ${base}; ${where}`;
}

function shownTraces({ traces, newest, cut }: Seen, { projectName, projectId }: Place): string {
  if (traces === 0)
    return `traces: they can be listed; the project ${projectName ?? projectId} has none of the last 7 days`;
  const many = `${cut ? 'at least ' : ''}${traces} ${traces === 1 ? 'trace' : 'traces'}`;
  return `traces: ${many} of the last 7 days${newest === 0 ? '' : `, the newest of ${new Date(newest).toISOString()}`}`;
}

function wrongClock(aheadMs: number): string {
  const off = `${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? 'behind' : 'ahead of'}`;
  return `clock: the one here is ${off} that of the service; set it right`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
