import { createServer } from 'node:http';
import { drawing, seeded, zipf } from './random.ts';

// Stands for Open Telekom Cloud's CTS, with as many traces as it is told, of the last half hour; their text is made
// beforehand, so that an answer costs it next to nothing. It prints its address, and ends with its standard input.
const PAGE = 200;
const SPAN_MS = 1_800_000;
const count = Number(process.argv[2]);
const newest = Date.now() - 60_000;
const random = seeded(1);
const operation = drawing(zipf(60), random);
const user = drawing(zipf(400), random);

/** By place, the newest first. */
const times = Float64Array.from({ length: count }, (_, place) => newest - Math.floor((place / count) * SPAN_MS));
const texts = Array.from({ length: count }, (_, place) => {
  const number = operation();
  const name = user();
  return JSON.stringify({
    trace_id: idOf(place),
    trace_name: `operation${number}`,
    service_type: `SVC${number % 20}`,
    resource_type: `kind${number % 30}`,
    resource_id: `${idOf(place)}-resource`,
    resource_name: `resource-${place % 5_000}`,
    trace_type: 'ApiCall',
    trace_rating: number % 11 === 0 ? 'warning' : 'normal',
    source_ip: `198.51.${name % 100}.${place % 250}`,
    code: '200',
    request: JSON.stringify({ server: { name: `server-${place}`, flavor: 's3.medium.4', image: idOf(place) } }),
    response: JSON.stringify({ id: idOf(place), status: 'ACTIVE' }),
    user: { id: `user-${name}`, name: `name.${name}`, domain: { id: 'domain', name: 'OTC00000000001000009999' } },
    time: times[place],
    record_time: times[place],
  });
});

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [from, to] = ['from', 'to'].map((name) => Number(searchParams.get(name))) as [number, number];
  const next = searchParams.get('next');
  const start = next === null ? firstBefore(to) : placeOf(next) + 1;
  let end = start;
  while (end < count && end - start < PAGE && times[end]! > from) end += 1;
  const marker = end > start ? `"${idOf(end - 1)}"` : 'null';
  response.setHeader('Content-Type', 'application/json');
  response.end(
    `{"traces":[${texts.slice(start, end).join()}],"meta_data":{"count":${end - start},"marker":${marker}}}`,
  );
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
process.stdin.resume().once('end', () => process.exit(0));

/** The place of the newest trace before a time. */
function firstBefore(time: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! >= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function idOf(place: number): string {
  return `${place.toString(16).padStart(8, '0')}-e709-11f0-9c00-02f1a7c40000`;
}

function placeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16);
}
