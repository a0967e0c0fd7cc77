import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

// What anybody would write first: unpack, cut into lines, parse, count. It knows no long lines, no broken ends, no state.
const NEWLINE = 0x0a;
const counts = new Map<string, number>();
let held: Buffer | null = null;

function count(line: string): void {
  const { auditEntry } = JSON.parse(line) as {
    auditEntry: { api: { name: string; bucket: string; statusCode: number } };
  };
  const { name, bucket, statusCode } = auditEntry.api;
  const key = `${name} ${bucket} ${statusCode}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

for await (const piece of createReadStream(process.argv[2] ?? '').pipe(createGunzip({ chunkSize: 256 * 1024 }))) {
  const chunk: Buffer = held ? Buffer.concat([held, piece as Buffer]) : (piece as Buffer);
  let from = 0;
  for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
    count(chunk.toString('utf8', from, end));
    from = end + 1;
  }
  held = from < chunk.length ? Buffer.from(chunk.subarray(from)) : null;
}
for (const [key, value] of counts) process.stdout.write(`${key} ${value}\n`);
