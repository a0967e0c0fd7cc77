import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { versionOf } from './programs.ts';

/** One line of the results. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  /** What it is compared with, and its figure. */
  readonly comparedWith?: string;
  readonly ratio?: string;
  readonly wanted?: string;
  /** Whether what is wanted was found. */
  readonly met?: boolean;
}

/** The results as Markdown. */
export function resultsPage(rows: readonly Row[], load: readonly number[]): string {
  return `# Results of the benchmarks

Written by \`npm run bench\`; all figures are of one run, in which the contenders took turns. Ratios carry over to other
machines, absolute numbers do not.

${machine(load)}

${table(rows)}
`;
}

/** The load of the machine over the last minute, five, and fifteen. */
export function currentLoad(): readonly number[] {
  return loadavg();
}

/** Rows as a table of Markdown. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, measured, comparedWith = '', ratio = '', wanted = '', met }) => [
    what,
    measured,
    comparedWith,
    ratio,
    met === undefined ? wanted : `${wanted} ${met ? '✓' : '✗ missed'}`,
  ]);
  const all = [['what', 'measured', 'compared with', 'ratio', 'wanted'], ['---', '---', '---', '---', '---'], ...cells];
  return all.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** A number with separated thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A number of seconds for people. */
export function time(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toFixed(1)} ms`;
  if (seconds >= 1e-6) return `${(seconds * 1e6).toFixed(2)} µs`;
  return `${(seconds * 1e9).toFixed(0)} ns`;
}

/** How often one goes into the other. */
export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`;
}

function machine(load: readonly number[]): string {
  const processors = cpus();
  const lines = [
    `date: ${new Date().toISOString().slice(0, 10)}`,
    `machine: ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${count(totalmem() / 1e9)} GB of memory`,
    `load before the run: ${load.map((value) => value.toFixed(2)).join(' ')}`,
    `system: ${distribution()}, Linux ${release()}`,
    `Node.js: ${process.version}`,
    `mtail: ${versionOf('mtail', '--version')}`,
    `journalctl: ${versionOf('journalctl', '--version')}`,
    `prom-client: ${packageVersion('prom-client')}`,
    `lmdb: ${packageVersion('lmdb')}`,
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}

function packageVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  // Every package has one.
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
