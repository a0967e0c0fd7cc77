import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import { loadConfig } from '../../src/cli/load.ts';
import { SOURCES } from '../../src/sources/index.ts';
import { WRITERS } from '../../src/writers/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** The types that are loaded with a configuration, and what is said of it. */
async function loadedWith(text: string) {
  const config = join(folder, 'c.yaml');
  writeFileSync(config, text);
  let said = '';
  const stderr = new Writable({
    write: (chunk, _encoding, done) => {
      said += String(chunk);
      done();
    },
  });
  const { stdout, stdin } = process;
  const io = { stdout, stderr, stdin, env: {}, now: Date.now, signal: AbortSignal.abort() };
  const loaded = await loadConfig({ config }, io);
  const typesOf = (part: 'sources' | 'writers') => loaded?.types[part].map(({ type }) => type);
  return { sources: typesOf('sources'), writers: typesOf('writers'), said: said.replaceAll(`${config}:`, '') };
}

t.test('the lists name what is loaded', async (t) => {
  for (const { type, load } of [...SOURCES, ...WRITERS]) t.equal((await load()).type, type);
});

t.test('only what a configuration names is loaded', async (t) => {
  t.same(await loadedWith(''), { sources: ['reaction'], writers: [], said: '' });
  const text = 'sources: { reaction/a: {}, ingest: { cloudevents: {} } }\nwriters: { stdout/x: {} }\n';
  t.same(await loadedWith(text), { sources: ['reaction', 'ingest'], writers: ['stdout'], said: '' });
});

t.test('a limit may be set for a metric of any source', async (t) => {
  const { sources, said } = await loadedWith('metrics: { series_limits: { cts_traces_total: 7 } }\n');
  t.same(
    sources,
    SOURCES.map(({ type }) => type),
  );
  t.equal(said, '');
});

t.test('what is wrong is told beside all that could be there', async (t) => {
  const types = SOURCES.map(({ type }) => type).join(', ');
  const { sources, said } = await loadedWith('sources: { kafka: {} }\n');
  t.equal(sources, undefined);
  t.equal(said, `1:12: sources.kafka: found source type "kafka", wanted one of ${types}\n`);
});
