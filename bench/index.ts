import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureCts } from './cts.ts';
import { measureEngine } from './engine.ts';
import { measureJournal } from './journal.ts';
import { measureMemory } from './memory.ts';
import { measureNeo4j } from './neo4j.ts';
import { measureObjects } from './objects.ts';
import { FOLDER } from './programs.ts';
import { measureReaction } from './reaction.ts';
import { currentLoad, type Row, resultsPage, table } from './report.ts';
import { measureState } from './state.ts';

const PARTS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  reaction: measureReaction,
  journal: measureJournal,
  memory: measureMemory,
  engine: measureEngine,
  state: measureState,
  objects: measureObjects,
  cts: measureCts,
  neo4j: measureNeo4j,
};

// Names of parts on the command line run these alone, and leave the written results as they are.
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in PARTS));
if (unknown === undefined) {
  await bench(wanted);
} else {
  process.stderr.write(`bench: found ${unknown}, wanted some of ${Object.keys(PARTS).join(', ')}\n`);
  process.exitCode = 2;
}

async function bench(names: readonly string[]): Promise<void> {
  const load = currentLoad();
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    process.stderr.write(`bench: ${name}\n`);
    rows.push(...(await measure()));
  }
  process.stdout.write(`${table(rows)}\n`);
  if (names.length === 0) writeFileSync(join(FOLDER, 'results.md'), resultsPage(rows, load));
}
