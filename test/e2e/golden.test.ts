import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { writeJournal } from '../support/journal.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';
import { parseExposition, seriesKey } from '../support/strict-exposition.ts';
import { home } from '../support/trailgauge.ts';

t.setTimeout(120_000);

/** A sample in `test/fixtures/reaction/expected`. */
interface Expected {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** In no expectation: it tells the version. */
const UNTOLD = 'reaction_exporter_build_info';

/** The settings of the fixtures' own configuration, with another log. */
function settings(logs: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const config = parse(readFileSync(fixture('reaction/trailgauge.yaml'), 'utf8')) as {
    sources: { reaction: Record<string, unknown> };
  };
  const command = fixture('reaction/reaction');
  return { sources: { reaction: { ...config.sources.reaction, config: fixture('reaction/etc'), command, logs } } };
}

async function check(t: Test, name: string, logs: Readonly<Record<string, string>>): Promise<void> {
  const wanted = JSON.parse(readFileSync(fixture(`reaction/expected/${name}.json`), 'utf8')) as Expected[];
  const names = new Set(wanted.map((sample) => sample.name));
  const { run } = home(t, settings(logs));
  for (const format of ['text', 'openmetrics'] as const) {
    const { code, stdout, stderr } = await run('once', '--format', format);
    t.equal(code, 0, stderr);
    const { samples, families } = parseExposition(stdout, format);
    const found = [...samples.values()].filter((sample) => names.has(sample.name));
    t.same(
      Object.fromEntries(found.map(({ key, value }) => [key, value])),
      Object.fromEntries(wanted.map(({ name, labels, value }) => [seriesKey(name, Object.entries(labels)), value])),
      `${name} as ${format}`,
    );
    const shown = [...families.values()].filter((family) => family.samples.length > 0);
    const isExpected = (family: string) => names.has(family) || names.has(`${family}_total`) || family === UNTOLD;
    const unexpected = shown
      .map((family) => family.name)
      .filter((name) => /^reaction_/.test(name) && !isExpected(name));
    t.same(unexpected, [], 'no other metric of reaction');
  }
}

for (const name of ['v1', 'v2', 'v2-stamped', 'v2-hostile']) {
  t.test(`once over ${name}.log`, (t) => check(t, name, { file: fixture(`reaction/${name}.log`) }));
}

t.test('once over two boots of the journal', async (t) => {
  if (!need(t, 'journalctl', 'systemd-journal-remote')) return;
  const { folder } = home(t, {});
  const directory = join(folder, 'journal');
  mkdirSync(directory);
  for (const boot of ['boot1', 'boot2']) {
    writeJournal(join(directory, `${boot}.journal`), readFileSync(fixture(`reaction/journal-${boot}.export`)));
  }
  await check(t, 'journal', { systemd: 'reaction.service', directory });
});
