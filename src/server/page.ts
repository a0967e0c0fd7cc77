import type { SourceStatus } from '../core/pipeline.ts';
import type { MetricStatus, Status } from '../core/status.ts';

/** Nothing from outside, nothing that runs: the page is text and style. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  Refresh: '5',
};

/** The status page: what each source does, how full metrics are, who collects. */
export function renderPage(status: Status): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>trailgauge</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>trailgauge</h1><p>${escapeHtml(status.version.version)} (${escapeHtml(status.version.revision)}) on Node.js ${escapeHtml(status.version.node)}, up ${age(status.now - status.started)}</p></header>
${status.problem ? `<p class="problem" role="alert">${escapeHtml(status.problem)}</p>` : ''}
<nav><a href="/metrics">metrics</a> <a href="/api/v1/status">status as JSON</a> <a href="/-/ready">ready</a> <a href="/-/healthy">healthy</a></nav>
<h2>Sources</h2>
<table>
<thead><tr><th>Source<th>State<th class="n">Events<th class="n">Events a second<th class="n">Rejected<th>Newest event<th class="n">Lag<th>Last error</thead>
<tbody>
${status.sources.map((source) => sourceRow(source, status.now)).join('\n')}
</tbody>
</table>
<h2>Series</h2>
<table>
<thead><tr><th>Metric<th class="n">Series<th class="n">Limit<th>Full<th class="n">Counted as “other”</thead>
<tbody>
${status.metrics.map(metricRow).join('\n')}
</tbody>
</table>
<h2>Scrapers</h2>
${status.scrapers.length === 0 ? '<p>Nobody has collected yet.</p>' : `<ul>${status.scrapers.map(({ id, seen }) => `<li>${escapeHtml(id)}, ${age(status.now - seen)} ago`).join('')}</ul>`}
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; }
header p { margin: 0; opacity: .7; }
nav a { margin-right: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.ok { color: #1a7f37; } .bad, .problem { color: #cf222e; }
.problem { border: 1px solid; padding: .5rem .8rem; }
small { display: block; opacity: .75; }
meter { width: 8rem; }
`;

function sourceRow(source: SourceStatus, now: number): string {
  const good = source.state === 'reading' || source.state === 'ended';
  const since = `since ${age(now - source.since)}`;
  const { lastError } = source;
  return `<tr><td>${escapeHtml(source.name)}<td class="${good ? 'ok' : 'bad'}">${source.state}<small>${since}${source.problem ? `: ${escapeHtml(source.problem)}` : ''}</small><td class="n">${count(source.events)}<td class="n">${source.rate.toFixed(1)}<td class="n">${count(source.rejected)}<td>${source.lastEvent === null ? 'none yet' : `${age(now - source.lastEvent)} ago`}<td class="n">${source.lag === null ? '' : `${source.lag.toFixed(1)} s`}<td>${lastError ? `${escapeHtml(lastError.text)}<small>${age(now - lastError.time)} ago</small>` : 'none'}`;
}

function metricRow({ metric, series, limit, limited }: MetricStatus): string {
  return `<tr><td>${escapeHtml(metric)}<td class="n">${count(series)}<td class="n">${count(limit)}<td><meter max="${limit}" high="${Math.floor(limit * 0.8)}" value="${series}">${series} of ${limit}</meter><td class="n">${count(limited)}`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** `5 s`, `3 min`, `2 h`, `4 d`. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
