import * as z from 'zod';
import { choice, described, flag, integer, option, section, text } from '../../core/fields.ts';
import { STORE_FIELDS, storeSection } from '../../core/objects/config.ts';
import { LAYOUTS } from './keys.ts';
import { FORMATS } from './record.ts';

const fields = section(
  'Audit logs of an S3 store that lie in a bucket: Lyve Cloud, MinIO, AWS server access logs, Ceph.',
  {
    ...STORE_FIELDS,
    layout: option(
      choice(...LAYOUTS),
      'lyve',
      'How keys are built: `lyve` (`January-2024/S3-…`), `dated` (`…/2024/01/31/…`), `flat` (`2024-01-31-10-00-00-…`).',
    ),
    format: option(choice(...FORMATS), 'auto', 'What the records are; `auto` looks at each.'),
    top: option(
      integer(0, 1000),
      0,
      'How many of the busiest client addresses and accounts are shown; 0 for none. Records are then read whole, which takes more time.',
    ),
    distinct: option(
      flag(),
      false,
      'Whether different client addresses and accounts are counted. Records are then read whole, which takes more time.',
    ),
    exclude: section('Records that are not counted, by exact texts.', {
      own: option(
        flag(),
        true,
        'Those about the log bucket itself, and those of requests with the access key of this source.',
      ),
      buckets: option(list(), [], 'Those about these buckets.'),
      accounts: option(list(), [], 'Those of these accounts, users or access keys.'),
      apis: option(list(), [], 'Those of these operations, such as `HeadBucket`.'),
    }),
  },
);

/** A validated `sources.s3-audit`. */
export type S3AuditConfig = z.output<typeof fields>;

/** `sources.s3-audit`. */
export const s3AuditConfig: z.ZodType<S3AuditConfig> = storeSection<S3AuditConfig>(fields);

function list(): z.ZodType<readonly string[]> {
  return described(z.array(text(), { error: 'wanted a list of texts' }), { kind: 'list of strings' });
}
