import t from 'tap';
import { CONTROLS, type Control, controlsOf } from '../../../src/sources/cloudtrail/controls.ts';

t.test('fifteen controls, each with a name of its own', async (t) => {
  t.equal(CONTROLS.length, 15);
  t.equal(new Set(CONTROLS).size, 15);
});

t.test('controls by the name of the event', async (t) => {
  const cases: readonly (readonly [service: string, names: string, control: Control])[] = [
    ['iam', 'DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy', 'iam-policy-changes'],
    ['iam', 'PutUserPolicy CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion', 'iam-policy-changes'],
    ['iam', 'AttachRolePolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy', 'iam-policy-changes'],
    ['any', 'CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging', 'cloudtrail-changes'],
    ['kms', 'DisableKey ScheduleKeyDeletion', 'cmk-disable-or-delete'],
    ['s3', 'PutBucketAcl PutBucketPolicy PutBucketCors PutBucketReplication', 'bucket-policy-changes'],
    ['s3', 'DeleteBucketPolicy DeleteBucketLifecycle DeleteBucketReplication', 'bucket-policy-changes'],
    ['config', 'StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel', 'config-changes'],
    ['config', 'PutConfigurationRecorder', 'config-changes'],
    ['any', 'AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress CreateSecurityGroup', 'security-group-changes'],
    ['any', 'CreateNetworkAcl ReplaceNetworkAclEntry ReplaceNetworkAclAssociation', 'nacl-changes'],
    ['any', 'CreateCustomerGateway AttachInternetGateway DeleteInternetGateway', 'network-gateway-changes'],
    ['ec2', 'CreateRoute ReplaceRoute DeleteRoute CreateRouteTable DeleteRouteTable', 'route-table-changes'],
    ['ec2', 'ReplaceRouteTableAssociation DisassociateRouteTable', 'route-table-changes'],
    ['any', 'CreateVpc DeleteVpc ModifyVpcAttribute RejectVpcPeeringConnection', 'vpc-changes'],
    ['any', 'AttachClassicLinkVpc DisableVpcClassicLink EnableVpcClassicLink', 'vpc-changes'],
    ['organizations', 'AcceptHandshake AttachPolicy CreateAccount UpdatePolicy', 'organizations-changes'],
    ['organizations', 'DeleteOrganizationalUnit EnablePolicyType LeaveOrganization', 'organizations-changes'],
    ['organizations', 'InviteAccountToOrganization RemoveAccountFromOrganization', 'organizations-changes'],
  ];
  for (const [service, names, control] of cases) {
    for (const eventName of names.split(' ')) {
      t.same(controlsOf({ eventSource: `${service}.amazonaws.com`, eventName }), [control], eventName);
      const elsewhere = service === 'any' ? [control] : [];
      t.same(controlsOf({ eventSource: 'example.com', eventName }), elsewhere, `${eventName} of another service`);
    }
  }
  const none = [
    'DeleteBucketAcl',
    'UpdatePolicyVersion',
    'AssociateRouteTable',
    'DetachCustomerGateway',
    'createvpc',
    '',
  ];
  for (const eventName of none) t.same(controlsOf({ eventSource: 's3.amazonaws.com', eventName }), [], eventName);
  t.same(controlsOf({ eventSource: 'organizations.amazonaws.com', eventName: 'DeletePolicy' }), [
    'organizations-changes',
  ]);
});

t.test('controls by more than the name', async (t) => {
  const denied = { eventName: 'X', errorCode: 'AccessDeniedException' };
  const login = {
    eventName: 'ConsoleLogin',
    userIdentity: { type: 'IAMUser' },
    responseElements: { ConsoleLogin: 'Success' },
  };
  const root = { eventName: 'X', userIdentity: { type: 'Root' } };
  const cases: readonly (readonly [record: { readonly [name: string]: unknown }, controls: readonly Control[]])[] = [
    [denied, ['unauthorized-api-calls']],
    [{ ...denied, errorCode: 'Client.UnauthorizedOperation' }, ['unauthorized-api-calls']],
    [{ ...denied, errorCode: 'UnauthorizedOperation.' }, []],
    [{ ...denied, errorCode: 'x.AccessDenied' }, []],
    [{ ...denied, errorCode: ['AccessDenied'] }, []],
    [{ ...denied, eventName: 'HeadBucket' }, []],
    [{ ...denied, sourceIPAddress: 'delivery.logs.amazonaws.com' }, []],
    [login, ['console-signin-without-mfa']],
    [{ ...login, additionalEventData: { MFAUsed: 'No' } }, ['console-signin-without-mfa']],
    [{ ...login, additionalEventData: { MFAUsed: 'Yes' } }, []],
    [{ ...login, userIdentity: { type: 'AssumedRole' } }, []],
    [{ ...login, responseElements: null }, []],
    [{ ...login, errorMessage: 'Failed authentication', responseElements: null }, ['console-signin-failures']],
    [{ ...login, errorMessage: 'No username found', responseElements: null }, []],
    [root, ['root-usage']],
    [{ ...root, userIdentity: { type: 'Root', invokedBy: null } }, ['root-usage']],
    [{ ...root, userIdentity: { type: 'Root', invokedBy: 'support.amazonaws.com' } }, []],
    [{ ...root, eventType: 'AwsServiceEvent' }, []],
    [{ ...root, ...denied, eventName: 'CreateVpc' }, ['unauthorized-api-calls', 'root-usage', 'vpc-changes']],
  ];
  for (const [record, controls] of cases) t.same(controlsOf(record), controls, JSON.stringify(record));
});
