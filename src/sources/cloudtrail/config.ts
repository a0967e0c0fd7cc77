import * as z from 'zod';
import { choice, described, flag, integer, option, section } from '../../core/fields.ts';
import { STORE_FIELDS, storeSection } from '../../core/objects/config.ts';
import { isAccount, isOrganization, isRegion } from './keys.ts';

const fields = section('CloudTrail: calls to the API of AWS, as a trail delivers them into a bucket.', {
  ...STORE_FIELDS,
  prefix: option(STORE_FIELDS.prefix, '', 'Folder that holds `AWSLogs/`, such as `audit/`.'),
  accounts: option(list(account(), 'accounts'), [], 'Accounts whose folders are read. None: all.'),
  regions: option(list(named(isRegion, 'a region such as eu-west-1'), 'regions'), [], 'Regions. None: all.'),
  organization: option(
    described(named(isOrganization, 'the folder of an organization such as o-abc123').nullable(), { kind: 'string' }),
    null,
    'Folder of the organization that is read, such as `o-abc123`. Null: any, and trails that are of none.',
  ),
  labels: option(
    list(choice('event'), 'labels'),
    [],
    'Further labels of `cloudtrail_events_total`: `event`, the name of the call.',
  ),
  top: option(integer(0, 1000), 20, 'How many of the busiest users and addresses are shown; 0 for none.'),
  distinct: option(flag(), true, 'Whether different users and addresses are counted.'),
  digests: option(
    flag(),
    false,
    'Whether digest files are read too, which prove that no log file is missing or was changed.',
  ),
});

/** A validated `sources.cloudtrail`. */
export type CloudTrailConfig = z.output<typeof fields>;

/** `sources.cloudtrail`. */
export const cloudTrailConfig: z.ZodType<CloudTrailConfig> = storeSection<CloudTrailConfig>(fields);

function list<T>(element: z.ZodType<T>, of: string): z.ZodType<readonly T[]> {
  return described(z.array(element, { error: `wanted a list of ${of}` }), { kind: 'list of strings' });
}

/** YAML takes digits for a number, and the zeros before them for nothing. */
function account(): z.ZodType<string> {
  const text = (value: unknown) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? String(value).padStart(12, '0') : value;
  return z.preprocess(text, named(isAccount, 'an account of 12 digits')) as unknown as z.ZodType<string>;
}

function named(is: (text: string) => boolean, wish: string): z.ZodType<string> {
  return z.string({ error: `wanted ${wish}` }).refine(is, { error: `wanted ${wish}` });
}
