import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Event } from '../../src/core/event.ts';
import { cli, file, folder } from '../support/cli.ts';
import { readSamples } from '../support/exposition.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { fixture } from '../support/paths.ts';

const reaction = {
  config: fixture('reaction/etc'),
  logs: { file: fixture('reaction/v2-stamped.log') },
  command: fixture('reaction/reaction'),
};

function config(place: string, writers: Readonly<Record<string, unknown>>, sources: object = { reaction }): string {
  return file(place, 'c.json', JSON.stringify({ state: { directory: join(place, 'state') }, sources, writers }));
}

/** The lines of events, and the exposition that comes after them. */
function parts(stdout: string): { events: readonly Event[]; samples: Readonly<Record<string, number>> } {
  const lines = stdout.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('{'));
  return {
    events: lines.slice(0, end).map((line) => JSON.parse(line) as Event),
    samples: readSamples(lines.slice(end).join('\n')),
  };
}

t.test('events on standard output, then the metrics that agree with them; nothing stays behind', async (t) => {
  const place = folder(t);
  const path = config(place, { stdout: {} });
  const env = { TMPDIR: folder(t) };
  const { code, stdout } = await cli(['-c', path, 'once'], { env });
  t.equal(code, 0);
  const { events, samples } = parts(stdout);
  t.ok(events.length > 3);
  t.equal(new Set(events.map(({ id }) => id)).size, events.length);
  t.equal(samples['trailgauge_source_events_total{source="reaction"}'], events.length);
  t.equal(samples['trailgauge_writer_events_total{writer="stdout"}'], events.length);
  t.equal(samples['trailgauge_writer_queue_events{writer="stdout"}'], 0);
  t.equal(samples['trailgauge_writer_up{writer="stdout"}'], 1);
  const matches = events.filter(({ action }) => action === 'match').length;
  const counted = Object.entries(samples).filter(([name]) => name.startsWith('reaction_matches_total'));
  t.equal(
    counted.reduce((sum, [, value]) => sum + value, 0),
    matches,
  );
  t.same(readdirSync(env.TMPDIR), []);
  t.notOk(existsSync(join(place, 'state')));
  const again = await cli(['-c', path, 'once'], { env });
  t.same(parts(again.stdout).events, events, 'the same events, every time');
});

t.test('several writers, each with what it wants', async (t) => {
  const place = folder(t);
  const bulk = await fakeBulk(t);
  const edge = { ...reaction, logs: { file: fixture('reaction/v2.log') } };
  const writers = {
    stdout: { sources: ['reaction/edge'], format: 'text' },
    elasticsearch: { url: bulk.url, index: 'trails', sources: ['reaction'], batch: 7 },
  };
  const path = config(place, writers, { reaction, 'reaction/edge': edge });
  const { code, stdout, stderr } = await cli(['-c', path, 'once']);
  t.equal(code, 0, stderr);
  const samples = readSamples(stdout.slice(stdout.indexOf('\n# ')));
  t.equal(bulk.documents.size, samples['trailgauge_source_events_total{source="reaction"}']);
  t.equal(samples['trailgauge_writer_events_total{writer="elasticsearch"}'], bulk.documents.size);
  t.equal(
    samples['trailgauge_writer_events_total{writer="stdout"}'],
    samples['trailgauge_source_events_total{source="edge"}'],
  );
  const { size } = bulk.documents;
  const again = await cli(['-c', path, 'once']);
  t.equal(again.code, 0);
  t.equal(bulk.documents.size, size, 'ids make a repeat harmless');
  t.same(bulk.problems, []);
});

t.test('refused events are kept beside the state', async (t) => {
  const place = folder(t);
  const bulk = await fakeBulk(t, { bad: '"failedlogin"' });
  const path = config(place, { elasticsearch: { url: bulk.url, index: 'trails' } });
  const { code, stdout } = await cli(['-c', path, 'once']);
  t.equal(code, 0);
  const samples = readSamples(stdout);
  const dropped = samples['trailgauge_writer_dropped_total{writer="elasticsearch",reason="rejected"}'] ?? 0;
  t.ok(dropped > 0);
  t.equal(
    dropped + (samples['trailgauge_writer_events_total{writer="elasticsearch"}'] ?? 0),
    samples['trailgauge_source_events_total{source="reaction"}'],
  );
  const letters = readFileSync(join(place, 'state', 'dead-letter', 'elasticsearch.ndjson'), 'utf8');
  t.equal(letters.trimEnd().split('\n').length, dropped);
  t.same(readdirSync(join(place, 'state')), ['dead-letter']);
});
