import { type JsonObject, objectAt, textAt } from '../../lib/json-value.ts';

/** The monitoring controls of the CIS AWS Foundations Benchmark, 4.1 to 4.15: all values of the label `control`. */
export const CONTROLS = [
  'unauthorized-api-calls',
  'console-signin-without-mfa',
  'root-usage',
  'iam-policy-changes',
  'cloudtrail-changes',
  'console-signin-failures',
  'cmk-disable-or-delete',
  'bucket-policy-changes',
  'config-changes',
  'security-group-changes',
  'nacl-changes',
  'network-gateway-changes',
  'route-table-changes',
  'vpc-changes',
  'organizations-changes',
] as const;
export type Control = (typeof CONTROLS)[number];

/** The controls that a record of CloudTrail touches, mostly none, as the filters of the benchmark say. */
export function controlsOf(record: JsonObject): readonly Control[] {
  const name = textAt(record, 'eventName');
  const found = CONDITIONS.filter(([, holds]) => holds(record, name)).map(([control]) => control);
  for (const { control, source } of BY_NAME.get(name) ?? []) {
    if (source === null || source === record.eventSource) found.push(control);
  }
  return found.length > 0 ? found : NONE;
}

const NONE: readonly Control[] = [];

/** Controls that look at more than the name of the event. */
const CONDITIONS: readonly (readonly [control: Control, holds: (record: JsonObject, name: string) => boolean])[] = [
  ['unauthorized-api-calls', isUnauthorized],
  ['console-signin-without-mfa', isWithoutMfa],
  ['root-usage', isRoot],
  ['console-signin-failures', isFailedSignIn],
];

/** Controls by the event's name; of one service, or of any (`*`). Braces stand for each of what they hold. */
const NAMES: readonly (readonly [control: Control, service: string, names: readonly string[]])[] = [
  [
    'iam-policy-changes',
    'iam',
    [
      '{Delete,Put}{Group,Role,User}Policy',
      '{Create,Delete}Policy',
      '{Create,Delete}PolicyVersion',
      '{Attach,Detach}{Role,User,Group}Policy',
    ],
  ],
  ['cloudtrail-changes', '*', ['{Create,Update,Delete}Trail', '{Start,Stop}Logging']],
  ['cmk-disable-or-delete', 'kms', ['DisableKey', 'ScheduleKeyDeletion']],
  [
    'bucket-policy-changes',
    's3',
    ['PutBucket{Acl,Policy,Cors,Lifecycle,Replication}', 'DeleteBucket{Policy,Cors,Lifecycle,Replication}'],
  ],
  [
    'config-changes',
    'config',
    ['StopConfigurationRecorder', '{Delete,Put}DeliveryChannel', 'PutConfigurationRecorder'],
  ],
  ['security-group-changes', '*', ['{Authorize,Revoke}SecurityGroup{Ingress,Egress}', '{Create,Delete}SecurityGroup']],
  [
    'nacl-changes',
    '*',
    ['{Create,Delete}NetworkAcl', '{Create,Delete,Replace}NetworkAclEntry', 'ReplaceNetworkAclAssociation'],
  ],
  ['network-gateway-changes', '*', ['{Create,Delete}CustomerGateway', '{Attach,Create,Delete,Detach}InternetGateway']],
  [
    'route-table-changes',
    'ec2',
    [
      '{Create,Replace,Delete}Route',
      '{Create,Delete}RouteTable',
      'ReplaceRouteTableAssociation',
      'DisassociateRouteTable',
    ],
  ],
  [
    'vpc-changes',
    '*',
    [
      '{Create,Delete}Vpc',
      'ModifyVpcAttribute',
      '{Accept,Create,Delete,Reject}VpcPeeringConnection',
      '{Attach,Detach}ClassicLinkVpc',
      '{Disable,Enable}VpcClassicLink',
    ],
  ],
  [
    'organizations-changes',
    'organizations',
    [
      '{Accept,Decline}Handshake',
      '{Attach,Detach}Policy',
      'CreateAccount',
      '{Create,Delete,Update}OrganizationalUnit',
      '{Create,Delete,Update}Policy',
      'DeleteOrganization',
      '{Disable,Enable}PolicyType',
      'InviteAccountToOrganization',
      'LeaveOrganization',
      'MoveAccount',
      'RemoveAccountFromOrganization',
    ],
  ],
];

interface Named {
  readonly control: Control;
  /** The `eventSource`, or null for any. */
  readonly source: string | null;
}

const BY_NAME: ReadonlyMap<string, readonly Named[]> = byName();

function byName(): Map<string, Named[]> {
  const map = new Map<string, Named[]>();
  for (const [control, service, patterns] of NAMES) {
    const named = { control, source: service === '*' ? null : `${service}.amazonaws.com` };
    for (const name of patterns.flatMap(expand)) map.set(name, [...(map.get(name) ?? []), named]);
  }
  return map;
}

function expand(pattern: string): readonly string[] {
  const [head = '', ...groups] = pattern.split('{');
  let names = [head];
  for (const group of groups) {
    const [choices = '', rest = ''] = group.split('}');
    names = names.flatMap((name) => choices.split(',').map((choice) => name + choice + rest));
  }
  return names;
}

function isUnauthorized(record: JsonObject, name: string): boolean {
  const code = textAt(record, 'errorCode');
  if (!code.endsWith('UnauthorizedOperation') && !code.startsWith('AccessDenied')) return false;
  return name !== 'HeadBucket' && record.sourceIPAddress !== 'delivery.logs.amazonaws.com';
}

function isWithoutMfa(record: JsonObject, name: string): boolean {
  return (
    name === 'ConsoleLogin' &&
    objectAt(record, 'additionalEventData')?.MFAUsed !== 'Yes' &&
    objectAt(record, 'userIdentity')?.type === 'IAMUser' &&
    objectAt(record, 'responseElements')?.ConsoleLogin === 'Success'
  );
}

function isRoot(record: JsonObject): boolean {
  const identity = objectAt(record, 'userIdentity');
  return identity?.type === 'Root' && (identity.invokedBy ?? null) === null && record.eventType !== 'AwsServiceEvent';
}

function isFailedSignIn(record: JsonObject, name: string): boolean {
  return name === 'ConsoleLogin' && record.errorMessage === 'Failed authentication';
}
