import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readSettingsFiles } from '../../../src/sources/reaction/settings-files.ts';
import { fixture } from '../../support/paths.ts';

function folder(t: Test, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

t.test('merges a directory and passes over what reaction passes over', async (t) => {
  const path = fixture('reaction/etc');
  const settings = await readSettingsFiles(path);
  t.same([...settings.streams.keys()], ['ssh', 'nginx']);
  t.same([...(settings.streams.get('nginx')?.filters.keys() ?? [])], ['aiBots'], 'two files, one stream');
  t.same(settings.streams.get('nginx')?.filters.get('aiBots')?.patterns, ['ip']);
  t.same(settings.warnings, [
    `${join(path, '30-mail.jsonnet')}: only reaction itself can read JSONnet; its streams are missing here`,
  ]);
});

t.test('one file', async (t) => {
  const settings = await readSettingsFiles(fixture('reaction/etc-single/reaction.yml'));
  t.same(settings.warnings, []);
  t.same([...settings.streams.keys()], ['ssh', 'mail']);
  t.same(settings.start, ['ip46tables']);
});

t.test('a broken file is named with its line and column, the others are read', async (t) => {
  const path = folder(t, {
    'a.yml': 'streams: { a: {} }',
    'b.yml': 'streams:\n  b: [\n',
    'c.json': '{ "streams": {\n  "c": ] } }',
    'd.yaml': '- list',
    'e.json': '{ "streams": { "e": {} } }',
    'f.yml': '',
    'g.yml': `# ${'x'.repeat(2 ** 20)}`,
  });
  execFileSync('mkfifo', [join(path, 'h.yml')]);
  const settings = await readSettingsFiles(path);
  t.same([...settings.streams.keys()], ['a', 'e']);
  t.match(settings.warnings, [
    /^\/.*\/b\.yml: line 3, column 1: Flow sequence/,
    /^\/.*\/c\.json: line 2, column 8: /,
    /^\/.*\/d\.yaml: found no map, wanted one$/,
    /^\/.*\/g\.yml: cannot be read: it has 1048578 bytes, wanted at most 1048576$/,
    /^\/.*\/h\.yml: cannot be read: it is no file$/,
  ]);
});

t.test('maps are merged, commands follow each other, of all else the first stays', async (t) => {
  const path = folder(t, {
    'b.yml':
      'streams: { s: { cmd: [b], filters: { f: { retry: 3, regex: [x] }, g: { regex: ["<p>"] } } } }\nstart: [[two]]',
    'a.yml':
      'streams: { s: { cmd: [a], filters: { f: { retry: 3 } } } }\nstart: [[one]]\npatterns: { p: { regex: x } }',
    'c.yml': 'patterns: { p: text }\nstart: ~\nstreams: { s: { filters: ~ } }',
    'B.yml': 'stop: [[stop]]',
  });
  const settings = await readSettingsFiles(path);
  t.same(settings.start, ['one', 'two'], 'in the order of the names');
  t.same(settings.stop, ['stop']);
  t.same([...(settings.streams.get('s')?.filters.keys() ?? [])], ['f', 'g']);
  t.same(settings.streams.get('s')?.filters.get('g')?.patterns, ['p']);
  t.same(settings.warnings, [
    `${path}/b.yml: streams.s.cmd was given by an earlier file already, which stays`,
    `${path}/c.yml: patterns.p was given by an earlier file already, which stays`,
  ]);
});

t.test('nothing there, or nothing that may be read', async (t) => {
  const path = folder(t, { 'a.yml': 'streams: {}' });
  await t.rejects(readSettingsFiles(join(path, 'none')), {
    message: `cannot read ${path}/none: there is no such file or directory`,
  });
  t.same((await readSettingsFiles(folder(t, {}))).streams.size, 0);
  if (process.getuid?.() === 0) return;
  chmodSync(join(path, 'a.yml'), 0);
  t.same((await readSettingsFiles(path)).warnings, [`${path}/a.yml: cannot be read: permission denied`]);
});

t.test('names such as __proto__ are ordinary', async (t) => {
  const path = folder(t, {
    'a.yml': 'streams: { __proto__: { filters: { constructor: {} } } }',
    'b.json': '{ "streams": { "__proto__": { "filters": { "toString": {} } } } }',
  });
  cpSync(fixture('reaction/etc/10-ssh.yaml'), join(path, 'c.yaml'));
  const settings = await readSettingsFiles(path);
  t.same([...(settings.streams.get('__proto__')?.filters.keys() ?? [])], ['constructor', 'toString']);
  t.same(settings.streams.get('ssh')?.filters.get('failedlogin')?.patterns, ['ip']);
});
