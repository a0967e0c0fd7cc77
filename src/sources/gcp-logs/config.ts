import * as z from 'zod';
import { described, flag, integer, option, section, text } from '../../core/fields.ts';
import { STORE_FIELDS, storeSection } from '../../core/objects/config.ts';

const fields = section('Google Cloud logs, as a sink of Cloud Logging writes them into a bucket of Cloud Storage.', {
  ...STORE_FIELDS,
  endpoint: option(
    STORE_FIELDS.endpoint,
    'https://storage.googleapis.com',
    'Address of the store, which has to speak the protocol of S3.',
  ),
  region: option(text(), 'auto', 'Region of the bucket; Cloud Storage takes `auto` for all.'),
  access_key: option(STORE_FIELDS.access_key, null, 'Access ID of an HMAC key of Cloud Storage.'),
  secret_key: option(STORE_FIELDS.secret_key, null, 'Secret of the HMAC key.'),
  prefix: option(STORE_FIELDS.prefix, '', 'Folder that holds the folders of the logs, such as `audit/`.'),
  logs: option(
    described(z.array(logId(), { error: 'wanted a list of LOG_IDs' }), { kind: 'list of strings' }),
    [],
    'Logs that are read, by their LOG_IDs, such as `cloudaudit.googleapis.com/activity`. None: all.',
  ),
  top: option(integer(0, 1000), 20, 'How many of the busiest users and addresses are shown; 0 for none.'),
  distinct: option(flag(), true, 'Whether different users and addresses are counted.'),
});

/** A validated `sources.gcp-logs`. */
export type GcpLogsConfig = z.output<typeof fields>;

/** `sources.gcp-logs`. */
export const gcpLogsConfig: z.ZodType<GcpLogsConfig> = storeSection<GcpLogsConfig>(fields);

/** As folders are called; in the names of logs, slashes are written `%2F`. */
function logId(): z.ZodType<string> {
  const wish = 'wanted a LOG_ID such as syslog or cloudaudit.googleapis.com/activity, with / and not %2F';
  return z.string({ error: wish }).refine((id) => /^[^/%](?:[^%]*[^/%])?$/.test(id), { error: wish });
}
