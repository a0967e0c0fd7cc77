import t from 'tap';
import { parseDigest } from '../../../src/sources/cloudtrail/digest.ts';

const FILE = { s3Bucket: 'b', s3Object: 'k', hashValue: 'AB'.repeat(32), hashAlgorithm: 'SHA-256' };

t.test('an hour with nothing, and one with a file', async (t) => {
  const digestEndTime = '2024-05-11T10:00:00Z';
  const [start, end] = [Date.UTC(2024, 4, 11, 9), Date.UTC(2024, 4, 11, 10)];
  t.same(parseDigest(JSON.stringify({ digestEndTime, logFiles: [] })), { start, end, files: [] });
  const digestStartTime = '2024-05-11T09:30:00Z';
  t.equal(parseDigest(JSON.stringify({ digestStartTime, digestEndTime, logFiles: [] })).start, start + 1_800_000);
  const file = { bucket: 'b', key: 'k', sha256: 'ab'.repeat(32), oldest: null, newest: null };
  t.same(parseDigest(JSON.stringify({ digestEndTime, logFiles: [FILE] })), { start, end, files: [file] });
});

t.test('what is no digest', async (t) => {
  const digest = (more: object) => JSON.stringify({ digestEndTime: '2024-05-11T10:00:00Z', logFiles: [], ...more });
  const cases: readonly (readonly [text: string, message: string])[] = [
    ['{', 'found no JSON object, wanted a digest of CloudTrail'],
    ['[]', 'found no JSON object, wanted a digest of CloudTrail'],
    [digest({ digestEndTime: 'soon' }), 'digestEndTime: found "soon", wanted a time'],
    [digest({ digestEndTime: undefined }), 'digestEndTime: found nothing, wanted a time'],
    [digest({ logFiles: {} }), 'logFiles: found an object, wanted a list'],
    [digest({ logFiles: null }), 'logFiles: found null, wanted a list'],
    [digest({ logFiles: [null] }), 'logFiles.0.hashAlgorithm: found nothing, wanted "SHA-256"'],
    [digest({ logFiles: [FILE, { ...FILE, s3Object: 7 }] }), 'logFiles.1.s3Object: found 7, wanted a key'],
    [digest({ logFiles: [{ ...FILE, s3Bucket: '' }] }), 'logFiles.0.s3Bucket: found "", wanted the name of a bucket'],
    [digest({ logFiles: [{ ...FILE, hashValue: 'x' }] }), 'logFiles.0.hashValue: found "x", wanted 64 hex digits'],
    [
      digest({ logFiles: [{ ...FILE, s3Object: 'k'.repeat(1_025) }] }),
      `logFiles.0.s3Object: found "${'k'.repeat(80)}", wanted a key`,
    ],
    [digest({ logFiles: [{ ...FILE, s3Object: [] }] }), 'logFiles.0.s3Object: found a list, wanted a key'],
  ];
  for (const [text, message] of cases) t.throws(() => parseDigest(text), { message }, text);
});
