import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contest.ts';
import { TRAILGAUGE } from './programs.ts';
import { reactionConfiguration } from './reaction-lines.ts';

/** Where the log of reaction is, as trailgauge's configuration says it. */
export type Logs = { readonly file: string } | { readonly systemd: string; readonly directory: string };

/**
 * `trailgauge once` on a log, with a stand-in for reaction; `output` gets what it prints. All metrics are on but the most
 * frequent values and the numbers of different ones, which others do not have; with `values`, these are on as well.
 */
export function trailgaugeOnce(
  folder: string,
  logs: Logs,
  { values = false }: { readonly values?: boolean } = {},
): Contender & { readonly output: string } {
  const name = values ? 'trailgauge-values' : 'trailgauge';
  const config = join(folder, `${name}.json`);
  const told = join(folder, 'reaction.json');
  const command = join(folder, 'reaction');
  writeFileSync(told, reactionConfiguration());
  writeFileSync(command, standIn(told));
  chmodSync(command, 0o755);
  writeFileSync(
    config,
    JSON.stringify({
      log: { level: 'warn' },
      // Programs it is compared with have no limit.
      metrics: { series_limit: 10_000_000 },
      sources: { reaction: { config: told, command, logs, ...(!values && { top: 0, distinct: false }) } },
    }),
  );
  return {
    name: `${name} once`,
    command: process.execPath,
    args: [TRAILGAUGE, '-c', config, '-f', 'json', 'once'],
    output: join(folder, `${name}.prom`),
  };
}

/** Values of the series in a file of Prometheus text, without those at 0; labels are put in order. */
export function readSeries(path: string): ReadonlyMap<string, number> {
  const series = new Map<string, number>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, name, , labels = '', value] = /^([a-z0-9_]+)(\{(.*)\})? ([^ ]+)$/.exec(line) ?? [];
    if (name === undefined || Number(value) === 0) continue;
    series.set(`${name}{${labels.split(',').sort().join()}}`, Number(value));
  }
  return series;
}

/** What a real reaction answers, at the price of starting a small program. */
function standIn(told: string): string {
  return `#!/bin/sh
case $1 in
  test-config) exec cat '${told}' ;;
  show) echo '{}' ;;
  -V) echo 'reaction 2.5.1' ;;
esac
`;
}
