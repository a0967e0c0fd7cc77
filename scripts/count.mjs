// Prints what failed in a TAP file, then the counts in one line, and ends with 0 only if every test ran and passed.
// Usage: node scripts/count.mjs FILE STATUS, where STATUS is how the test runner ended.
import { readFileSync } from 'node:fs';

const SHOWN_LINES = 30;
const SHOWN_FAILURES = 20;

const [file, status] = process.argv.slice(2);
const tap = readFileSync(file, 'utf8');
const lines = tap.split('\n');
const failures = lines.flatMap((line, index) => (/^ *not ok /.test(line) ? [index] : []));
for (const index of failures.slice(0, SHOWN_FAILURES)) console.log(lines.slice(index, index + SHOWN_LINES).join('\n'));

const totals = [...tap.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? '';
const counts = new Map([...totals.matchAll(/([a-z]+): ([0-9]+)/g)].map(([, name, count]) => [name, Number(count)]));
const passed = counts.get('pass') ?? 0;
const skipped = counts.get('skip') ?? 0;
// What did not come to a count (a crash, a time limit) has failed too.
const failed = (counts.get('fail') ?? 0) || (status === '0' && passed > 0 ? 0 : 1);
const skips = lines.filter((text) => /^ *ok .* # SKIP/i.test(text));
// What no package has, see test/support/services.ts.
const excused = skips.filter((text) => text.includes('# SKIP cannot be had here: ')).length;
const unexcused = skipped - excused;
if (unexcused > 0) console.log(`${unexcused} skipped, which counts as failed here:`);
for (const line of skips) console.log(line.trim());
if (excused > 0) console.log(`${excused} skipped, as it cannot be had here`);
console.log(`${passed} passed, ${failed + unexcused} failed`);
process.exitCode = failed + unexcused > 0 ? 1 : 0;
