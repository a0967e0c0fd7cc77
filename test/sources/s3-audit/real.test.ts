import { readFileSync } from 'node:fs';
import t from 'tap';
import { toEvent } from '../../../src/sources/s3-audit/event.ts';
import { fixture } from '../../support/paths.ts';
import { LATER, linesOf, recordOf, refusalOf } from './counted.ts';

/** As MinIO of February 2026 posted them; `test/services/minio.test.ts` has them made anew, and many more. */
const lines = linesOf(readFileSync(fixture('object-logs/minio/real.ndjson'), 'utf8'));
const PLACE = { ...LATER, arrival: Date.UTC(2026, 10, 21, 19) };

t.test('records of a real MinIO', async (t) => {
  const records = lines.slice(0, 3).map((line) => recordOf(line, PLACE));
  const found = records.map(({ api, bucket, code, durationNs, ttfbNs, requestBytes, responseBytes, timeMs }) =>
    [api, bucket, code, durationNs, ttfbNs, requestBytes, responseBytes, Math.floor(timeMs ?? 0)].join(' '),
  );
  t.same(found, [
    `GetObject photos 200 710697 693096 0 100000 ${Date.parse('2026-11-21T18:14:44.356Z')}`,
    `GetObject photos 200 561224 548230 0 1000 ${Date.parse('2026-11-21T18:14:44.349Z')}`,
    `AssumeRoleSSOCommon  400 113153 98078 0 295 ${Date.parse('2026-11-21T18:14:44.658Z')}`,
  ]);
  const raws = records.map((record) => toEvent({ record, source: 's3-audit', arrival: PLACE.arrival }).data.raw);
  t.match(raws, [
    { requestQuery: { 'X-Amz-Signature': '<secret>', 'X-Amz-Expires': '600' } },
    { requestHeader: { Authorization: '<secret>', 'X-Amz-Server-Side-Encryption-Customer-Key': '<secret>' } },
    { requestQuery: { WebIdentityToken: '<secret>', Action: 'AssumeRoleWithWebIdentity' } },
  ]);
});

t.test('what MinIO refuses before it knows the operation has no name of one', async (t) => {
  // The clock of the client was wrong, which is answered with 403; and a PATCH.
  t.same(
    lines.slice(3).map((line) => refusalOf(line, PLACE)),
    ['shape', 'shape'],
  );
});
