import { datedPlan } from '../../lib/objects/dated.ts';
import { loosePlan } from '../../lib/objects/loose.ts';
import { DAY_MS, type Found, type Listing, type Plan } from '../../lib/objects/plan.ts';
import { isAccount, isOrganization, isRegion, parseTrailKey } from './keys.ts';

/** What of a trail is read. */
export interface TrailScope {
  /** A folder with its slash, or empty. */
  readonly prefix: string;
  /** None: all. */
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Null: any. */
  readonly organization: string | null;
  /** Whether digest files are read too. */
  readonly digests: boolean;
}

/** Files of one minute come in any order, and a delivery that failed is tried again. */
const LOOK_BACK_MS = DAY_MS;

/** The day folders of the accounts and regions that are wanted, and of none else. Digest files come after log files. */
export function trailPlan(scope: TrailScope, now: () => number): Plan {
  const { prefix } = scope;
  const head = headOf(prefix);
  const inner = datedPlan({
    prefix,
    lookBackMs: LOOK_BACK_MS,
    isBranch: (folder) => levelOf(prefix + folder, head, scope) !== null,
    find: (key) => findTrail(prefix + key, head, scope),
    now,
  });
  return {
    ...inner,
    listings: async function* (store, span, signal): AsyncGenerator<Listing> {
      const later: Listing[] = [];
      for await (const listing of inner.listings(store, { ...span, from: span.from - LOOK_BACK_MS }, signal)) {
        // Years lie in other folders too, which may be as large as the bucket.
        if (levelOf(listing.prefix, head, scope) !== 'region') continue;
        if (listing.prefix.includes('/CloudTrail-Digest/')) later.push(listing);
        else yield listing;
      }
      yield* later;
    },
  };
}

/** The same for a local folder: if it has nothing of the layout, all files of JSON in it. */
export function trailFolderPlan(scope: TrailScope, now: () => number): Plan {
  const { prefix } = scope;
  const all = { prefix, accounts: [], regions: [], organization: null, digests: false };
  return loosePlan({
    wanted: trailPlan(scope, now),
    whole: trailPlan(all, now),
    prefix,
    isLog: (key) => isLooseLog(key, scope),
  });
}

/** The folder that keys begin with; `prefix` may lead to `AWSLogs/`, or into it. */
export function headOf(prefix: string): string {
  const at = prefix.lastIndexOf(`/${ROOT}`) + 1;
  return at > 0 || prefix.startsWith(ROOT) ? prefix.slice(0, at) : prefix;
}

const ROOT = 'AWSLogs/';

/** How far a folder leads down to the days of a region that is wanted; null if it leads elsewhere. */
function levelOf(folder: string, head: string, scope: TrailScope): 'above' | 'region' | null {
  if (!folder.startsWith(head)) return null;
  const [root, ...below] = folder.slice(head.length).split('/').slice(0, -1);
  if (root === undefined) return 'above';
  if (`${root}/` !== ROOT) return null;
  const [organization = ''] = below;
  const isIn = isOrganization(organization);
  if (isIn ? !isWantedIn(scope, organization) : below.length > 0 && !isWantedIn(scope, null)) return null;
  const [account, kind, region, ...rest] = isIn ? below.slice(1) : below;
  if (account !== undefined && !(isAccount(account) && isOneOf(account, scope.accounts))) return null;
  if (kind !== undefined && kind !== 'CloudTrail' && !(scope.digests && kind === 'CloudTrail-Digest')) return null;
  if (region === undefined) return 'above';
  return rest.length === 0 && isRegion(region) && isOneOf(region, scope.regions) ? 'region' : null;
}

function findTrail(key: string, head: string, scope: TrailScope): Found {
  const found = parseTrailKey(key);
  const isWanted =
    found?.prefix === head &&
    isWantedIn(scope, found.organization) &&
    isOneOf(found.account, scope.accounts) &&
    isOneOf(found.region, scope.regions) &&
    (found.kind === 'log' || scope.digests);
  return isWanted ? { kind: 'log', time: found.time } : { kind: 'nothing' };
}

function isWantedIn(scope: TrailScope, organization: string | null): boolean {
  return scope.organization === null || scope.organization === organization;
}

function isOneOf(name: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.includes(name);
}

/** Of account, region, digest files and insights the names tell, if they are as AWS made them. */
function isLooseLog(key: string, scope: TrailScope): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (!/\.json(?:\.gz)?$/.test(name) || /_CloudTrail-(?:Digest|Insight)_/.test(name)) return false;
  const [, account, region] = /^([0-9]{12})_CloudTrail_([a-z0-9-]{1,64})_/.exec(name) ?? [];
  if (account === undefined || region === undefined) return true;
  return isOneOf(account, scope.accounts) && isOneOf(region, scope.regions);
}
