import { Agent, get } from 'node:http';
import { json } from 'node:stream/consumers';

// What anybody would write first: ask for a page, parse it, count, and ask for the next one. It knows no edges of pages, no
// traces that come twice, no failures, no state.
interface Page {
  readonly traces: readonly {
    readonly service_type: string;
    readonly trace_name: string;
    readonly trace_rating: string;
  }[];
  readonly meta_data: { readonly marker: string | null };
}

const agent = new Agent({ keepAlive: true });
const counts = new Map<string, number>();
const to = Date.now();
for (let next: string | null = null; ; ) {
  const query = `from=${to - 10_800_000}&to=${to}&limit=200${next === null ? '' : `&next=${next}`}`;
  const page = await ask(`${process.argv[2]}/v3/project/traces?${query}`);
  for (const { service_type, trace_name, trace_rating } of page.traces) {
    const key = `${service_type} ${trace_name} ${trace_rating}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  next = page.meta_data.marker;
  if (next === null) break;
}
for (const [key, value] of counts) process.stdout.write(`${key} ${value}\n`);
agent.destroy();

function ask(url: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => void json(response).then((page) => resolve(page as Page), reject)).on(
      'error',
      reject,
    );
  });
}
