import type { Event, Outcome, Party } from '../../core/event.ts';
import { dataOf, datasetOf, textOf } from '../event-data.ts';
import { epochMs, messageText, nameText, nodeKey } from './texts.ts';

/** A node: its key, and its properties but those that are not known. */
export interface TrailsNode {
  readonly key: string;
  readonly set: Readonly<Record<string, string>>;
}

/** An event with the nodes that it touches; null where there is none. */
export interface TrailsEvent {
  readonly key: string;
  /** Properties in the order of `EVENT_PROPERTIES`. */
  readonly values: readonly (string | null)[];
  /** Milliseconds since 1970. */
  readonly time: bigint;
  readonly recorded: bigint | null;
  readonly isFailure: boolean;
  readonly actor: TrailsNode | null;
  readonly resource: TrailsNode | null;
  readonly address: TrailsNode | null;
  /** What holds the resource: a project, an account, a bucket, … */
  readonly account: TrailsNode | null;
  /** The domain of the actor. */
  readonly domain: TrailsNode | null;
  readonly region: TrailsNode | null;
}

/** Properties of an `Event` node that are text. */
export const EVENT_PROPERTIES = [
  'key',
  'id',
  'source',
  'action',
  'outcome',
  'severity',
  'type',
  'code',
  'address',
  'account',
  'message',
] as const;

/** An event as nodes of the model `trails`. */
export function trailsEvent(event: Event): TrailsEvent {
  const { source, scope, data } = event;
  const said = (name: string) => textOf(dataOf(event, name));
  const key = nodeKey(source, event.id);
  const isCts = datasetOf(event) === 'cts';
  const { actor, domain } = isCts ? ctsActor(event) : { actor: plainActor(event), domain: null };
  const address = event.actor?.address?.toLowerCase() ?? '';
  const region = said('region');
  const values: Readonly<Record<(typeof EVENT_PROPERTIES)[number], string | null>> = {
    key,
    id: nameText(event.id),
    source,
    action: nameText(event.action),
    outcome: outcomeText(event.outcome),
    severity: nameText(said('severity')),
    type: nameText(said(isCts ? 'traceType' : 'kind')),
    code: nameText(said('code')),
    address: nameText(address),
    account: nameText(scope?.id || said('account')),
    message: messageText(said('message')),
  };
  return {
    key,
    values: EVENT_PROPERTIES.map((name) => values[name]),
    time: epochMs(event.time),
    recorded: typeof data.recorded === 'number' ? epochMs(data.recorded) : null,
    isFailure: values.outcome === 'failure',
    actor,
    resource: resourceNode(event, isCts),
    address: address === '' ? null : node([address], {}),
    account: accountNode(source, scope),
    domain,
    region: region === '' ? null : node([source, region], { name: nameText(region) }),
  };
}

/** The outcome as all far ends are told it. */
export function outcomeText(outcome: Outcome): 'success' | 'failure' | 'unknown' {
  if (outcome === 'ok') return 'success';
  return outcome === 'unknown' ? 'unknown' : 'failure';
}

/** Who made a trace, by the rules of CTS: a SystemAction without a user is of the system. Null: not told. */
export function ctsUser(event: Event): { readonly id: string; readonly name: string; readonly type: string } | null {
  const [id, name] = [textOf(dataOf(event, 'userId')), textOf(dataOf(event, 'userName'))];
  if (id !== '' || name !== '') return { id, name, type: 'user' };
  const isSystem =
    event.actor?.type === 'system' || textOf(dataOf(event, 'traceType')).toLowerCase() === 'systemaction';
  return isSystem ? { id: '', name: 'system', type: 'system' } : null;
}

function ctsActor(event: Event): { readonly actor: TrailsNode | null; readonly domain: TrailsNode | null } {
  const user = ctsUser(event);
  if (user === null) return { actor: null, domain: null };
  const { source } = event;
  if (user.type === 'system') return { actor: node([source, 'system'], user), domain: null };
  const domain = textOf(dataOf(event, 'userDomain'));
  const place = user.id === '' ? ['name', user.name] : [user.id];
  return {
    actor: node([source, domain, ...place], { ...user, domain }),
    domain: domain === '' ? null : node([source, domain], { id: domain, kind: 'domain' }),
  };
}

/** Who is known by nothing but an address is no actor: the address is a node of its own. */
function plainActor({ source, actor }: Event): TrailsNode | null {
  if (!actor || actor.type === 'address' || (actor.type === 'unknown' && actor.id === 'unknown')) return null;
  return partyNode([source, ''], actor);
}

/** A service is told of CTS alone: other ids are unique without. */
function resourceNode(event: Event, isCts: boolean): TrailsNode | null {
  const { source, scope, target } = event;
  const service = isCts ? textOf(dataOf(event, 'service')).toUpperCase() : '';
  const found = isCts ? ctsTarget(event) : target;
  if (!found) return null;
  return partyNode([source, scope?.id ?? '', service, found.type], found, { service });
}

/** The id of a target is its name where it has none: here the two are not the same. */
function ctsTarget(event: Event): Party | null {
  const { target } = event;
  if (!target) return null;
  const id = textOf(dataOf(event, 'resourceId'));
  const name = textOf(dataOf(event, 'resourceName'));
  if (id === '' && name === '') return target;
  return { type: target.type, id, ...(name !== '' && { name }) };
}

function partyNode(place: readonly string[], party: Party, more: Readonly<Record<string, string>> = {}) {
  const { type, id, name = '' } = party;
  if (id === '' && name === '') return null;
  return node([...place, ...(id === '' ? ['name', name] : [id])], { id, name, type, ...more });
}

/** Ids of projects, accounts and domains are unique; others only among their kind. */
function accountNode(source: string, scope: Party | undefined): TrailsNode | null {
  if (!scope || scope.id === '') return null;
  const { type, id, name = '' } = scope;
  return node(UNIQUE.has(type) ? [source, id] : [source, type, id], { id, name, kind: type });
}

const UNIQUE: ReadonlySet<string> = new Set(['project', 'account', 'domain']);

/** A node without the properties that are empty. */
function node(place: readonly string[], properties: Readonly<Record<string, string | null>>): TrailsNode {
  const set: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties)) {
    const text = nameText(value ?? '');
    if (text !== null) set[name] = text;
  }
  return { key: nodeKey(...place), set };
}
