import { readFileSync } from 'node:fs';
import { fixture } from '../support/paths.ts';

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Values of series, added up in a test. */
export class Tally {
  readonly values = new Map<string, number>();

  add(name: string, labels: Readonly<Record<string, string>> = {}, value = 1): void {
    const key = keyOf(name, labels);
    this.values.set(key, (this.values.get(key) ?? 0) + value);
  }

  /** The values in the order of their names, for a comparison. */
  sorted(): readonly (readonly [string, number])[] {
    return [...this.values].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** What a fixture's `expected.json` says. */
export function expectedTally(file: string): Tally {
  const tally = new Tally();
  for (const { name, labels, value } of JSON.parse(readFileSync(fixture(file), 'utf8')) as readonly Series[]) {
    tally.add(name, labels, value);
  }
  return tally;
}

/** Empty labels are as good as absent. */
function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  const shown = Object.entries(labels).filter(([, value]) => value !== '');
  return `${name}${JSON.stringify(shown.sort())}`;
}
