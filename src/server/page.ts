import { createHash } from 'node:crypto';
import type { MetricStatus, Status, TopStatus } from '../core/status.ts';
import { sourceCard, writersSection } from './page-cards.ts';
import { PAGE_STYLE } from './page-style.ts';
import { age, breakable, count, escapeHtml, foreign, moment } from './page-text.ts';

export interface PageOptions {
  /** Seconds until the browser asks again by itself, or null. */
  readonly refresh: number | null;
}

/** Nothing from outside and nothing that runs: the page is text, one style sheet and an icon within it. */
export function pageHeaders({ refresh }: PageOptions): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    ...(refresh !== null && { Refresh: String(refresh) }),
  };
}

/**
 * What `/?refresh=5` asks for: whole seconds, up to an hour. Only who asks gets a page that reloads, as that takes the
 * focus away from those who read with the keyboard or with a screen reader.
 */
export function pageOptions(url: string): PageOptions {
  const asked = new URL(url, 'http://localhost').searchParams.get('refresh') ?? '';
  const wanted = /^[0-9]{1,4}$/.test(asked) ? Number(asked) : 0;
  return { refresh: wanted >= 1 && wanted <= 3_600 ? wanted : null };
}

/** The status page: what each source and writer does, how full metrics are, who collects. */
export function renderPage(status: Status, { refresh }: PageOptions): string {
  const verdict = verdictOf(status);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${verdict.good ? '' : '⚠ '}trailgauge: ${escapeHtml(verdict.text)}</title>
<link rel="icon" href="${icon(verdict.good)}">
<style>${PAGE_STYLE}</style>
</head>
<body>
${pageHeader(status, refresh)}
<main>
<p class="verdict ${verdict.good ? 'good' : 'bad'}" role="${verdict.good ? 'status' : 'alert'}">${foreign(verdict.text)}</p>
<section aria-labelledby="sources">
<h2 id="sources">Sources</h2>
<div class="cards">
${status.sources.map((source) => sourceCard(source, status.now)).join('\n')}
</div>
</section>
${writersSection(status)}${topSection(status.top)}${seriesSection(status.metrics)}
${scrapersSection(status)}
</main>
</body>
</html>
`;
}

const STYLE_HASH = createHash('sha256').update(PAGE_STYLE).digest('base64');
const REFRESH_OFFERED = 5;
/** A metric that is so full is worth a look. */
const NEARLY_FULL = 0.8;

function icon(good: boolean): string {
  const colour = good ? '%231a7f37' : '%23cf222e';
  const circle = `%3Ccircle cx='8' cy='8' r='7' fill='${colour}'/%3E`;
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E${circle}%3C/svg%3E`;
}

/** The whole in one sentence. */
function verdictOf({ problem, sources, writers }: Status): { good: boolean; text: string } {
  if (problem !== null) return { good: false, text: `metrics are withheld: ${problem}` };
  const unread = troubled(
    sources,
    sources.filter(({ state }) => state === 'waiting'),
    'sources',
  );
  const undelivered = troubled(
    writers,
    writers.filter((writer) => writer.problem !== null),
    'writers',
  );
  const bad = [unread && `${unread} cannot be read`, undelivered && `${undelivered} cannot deliver`].filter(Boolean);
  if (bad.length > 0) return { good: false, text: bad.join(', and ') };
  if (sources.some(({ state }) => state === 'starting')) return { good: true, text: 'starting' };
  return { good: true, text: sources.length === 1 ? 'the source is being read' : 'all sources are being read' };
}

/** Who of all of these is in trouble, in a few words; empty for nobody. */
function troubled(all: readonly unknown[], these: readonly { readonly name: string }[], what: string): string {
  const [first] = these;
  if (!first) return '';
  return all.length === 1 ? first.name : `${these.length} of ${all.length} ${what}`;
}

function pageHeader({ version, started, now }: Status, refresh: number | null): string {
  const { version: number, revision, node } = version;
  const again =
    refresh === null
      ? `<a href="?refresh=${REFRESH_OFFERED}">Update every ${REFRESH_OFFERED} s</a>`
      : `<a href="./">Stop updating every ${refresh} s</a>`;
  return `<header>
<h1>trailgauge</h1>
<p>${escapeHtml(number)} (${escapeHtml(revision)}) on Node.js ${escapeHtml(node)}, running for ${age(now - started)}. As of ${moment(now)}.</p>
<nav aria-label="Other pages">
<a href="metrics">Metrics</a>
<a href="api/v1/status">This page as JSON</a>
<a href="-/ready">Ready?</a>
<a href="-/healthy">Healthy?</a>
${again}
</nav>
</header>`;
}

/** Who comes most, if anything tells. */
function topSection(top: readonly TopStatus[]): string {
  if (top.length === 0) return '';
  const rows = top.flatMap(({ labels, values }) =>
    values.map(({ value, count: matches }, index) => {
      const of = labels.map(([name, shown]) => `${name} ${shown}`).join(', ');
      const head = index === 0 ? `<th scope="rowgroup" rowspan="${values.length}">${foreign(of)}</th>` : '';
      return `<tr>${head}<td class="who">${foreign(value)}</td><td class="n">${count(matches)}</td></tr>`;
    }),
  );
  return `<section aria-labelledby="top">
<h2 id="top">Most frequent values</h2>
<table aria-labelledby="top">
<thead><tr><th scope="col">Of</th><th scope="col">Value</th><th scope="col" class="n">In the last 24 hours</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</section>
`;
}

/** The fullest first; the program's own metrics are folded away unless one of them needs a look. */
function seriesSection(metrics: readonly MetricStatus[]): string {
  const sorted = metrics.toSorted(
    (a, b) => fullness(b) - fullness(a) || (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0),
  );
  const own = sorted.filter(({ metric }) => metric.startsWith('trailgauge_'));
  const others = sorted.filter(({ metric }) => !metric.startsWith('trailgauge_'));
  const open = own.some((metric) => metric.limited > 0 || fullness(metric) >= NEARLY_FULL) ? ' open' : '';
  return `<section aria-labelledby="series">
<h2 id="series">Series</h2>
<p>A metric that is full counts what is new in a series with the label values <code>other</code>.</p>
${others.length === 0 ? '<p>No source has a series yet.</p>' : seriesTable(others, 'series')}
${own.length === 0 ? '' : `<details${open}>\n<summary id="own">${own.length} ${own.length === 1 ? 'metric' : 'metrics'} of trailgauge itself</summary>\n${seriesTable(own, 'own')}\n</details>`}
</section>`;
}

function seriesTable(metrics: readonly MetricStatus[], labelledBy: string): string {
  return `<table aria-labelledby="${labelledBy}">
<thead><tr><th scope="col">Metric</th><th scope="col" class="n">Series</th><th scope="col" class="n">Counted as <code>other</code></th></tr></thead>
<tbody>
${metrics.map(metricRow).join('\n')}
</tbody>
</table>`;
}

function metricRow(status: MetricStatus): string {
  const { metric, series, limit, limited } = status;
  const near = limited > 0 || fullness(status) >= NEARLY_FULL;
  const high = Math.floor(limit * NEARLY_FULL);
  const meter = `<meter aria-hidden="true" max="${limit}" high="${high}" optimum="0" value="${series}"></meter>`;
  return `<tr${near ? ' class="near"' : ''}><th scope="row">${breakable(metric)}</th><td class="n">${count(series)} of ${count(limit)}${meter}</td><td class="n">${count(limited)}</td></tr>`;
}

function fullness({ series, limit }: MetricStatus): number {
  return series / limit;
}

function scrapersSection({ scrapers, now }: Status): string {
  const rows = scrapers
    .toSorted((a, b) => b.seen - a.seen)
    .map(
      ({ id, seen }) =>
        `<tr><th scope="row" class="who">${foreign(id)}</th><td class="n">${age(now - seen)} ago</td></tr>`,
    );
  const table = `<table aria-labelledby="scrapers">
<thead><tr><th scope="col">Who</th><th scope="col" class="n">Last collection</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
  return `<section aria-labelledby="scrapers">
<h2 id="scrapers">Scrapers</h2>
${rows.length === 0 ? '<p>Nobody has collected yet: Prometheus is to ask for <a href="metrics">/metrics</a>.</p>' : table}
</section>`;
}
