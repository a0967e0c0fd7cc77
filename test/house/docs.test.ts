import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { allMetrics, loadParts } from '../../src/cli/catalogue.ts';
import { completeReadme } from '../../src/cli/readme.ts';
import { readConfig } from '../../src/core/config.ts';
import { parseWebSettings } from '../../src/server/web-config/settings.ts';
import { compileTemplate } from '../../src/sources/reaction/template.ts';
import { temporaryFolder } from '../support/journal.ts';
import { anchors, codeSpans, links, readMarkdown, tableAfter } from '../support/markdown.ts';
import { root } from '../support/paths.ts';
import { need } from '../support/services.ts';

const readmeText = readFileSync(join(root, 'README.md'), 'utf8');
const readme = readMarkdown(readmeText);

function blocks(info: string) {
  const found = readme.blocks.filter((block) => block.info === info);
  if (found.length === 0) throw new Error(`README.md has no block of ${info}`);
  return found;
}

/** Runs promtool on a file with this text. */
function promtool(t: Test, args: readonly string[], text: string): { readonly ok: boolean; readonly output: string } {
  const file = join(temporaryFolder(t), 'file.yml');
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync('promtool', [...args, file], { encoding: 'utf8' });
  return { ok: status === 0, output: stdout + stderr };
}

t.test('the generated parts of README.md are up to date', async (t) => {
  const now = (await completeReadme(readmeText)).split('\n');
  const at = readmeText.split('\n').findIndex((line, index) => line !== now[index]);
  t.equal(at, -1, at < 0 ? 'they are' : `run "npm run docs": line ${at + 1} is to be ${now[at] ?? 'the last'}`);
});

t.test('links lead to files and headings that exist', async (t) => {
  for (const name of ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md']) {
    const file = join(root, name);
    for (const { target, line } of links(readMarkdown(readFileSync(file, 'utf8')))) {
      if (/^https:\/\//.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const found = resolve(dirname(file), path === '' ? name : path);
      if (!t.ok(existsSync(found), `${name}:${line}: ${relative(root, found)} exists`)) continue;
      if (anchor === undefined) continue;
      t.ok(anchors(readMarkdown(readFileSync(found, 'utf8'))).has(anchor), `${name}:${line}: #${anchor} exists`);
    }
  }
});

t.test('the configurations of README.md are valid', async (t) => {
  const types = await loadParts();
  for (const { text, line } of blocks('yaml trailgauge')) {
    const { errors } = readConfig(text, { format: 'yaml', env: {}, types });
    t.same(errors, [], `block of line ${line}`);
  }
  for (const { text, line } of blocks('yaml web')) {
    t.same(parseWebSettings('/etc/trailgauge/web.yaml', text).problems, [], `block of line ${line}`);
  }
});

t.test('Prometheus takes the scrape configurations, rules and queries of README.md', async (t) => {
  if (!need(t, 'promtool')) return;
  for (const { text, line } of blocks('yaml prometheus')) {
    const { ok, output } = promtool(t, ['check', 'config', '--syntax-only'], text);
    t.ok(ok, `block of line ${line}: ${output}`);
  }
  for (const { text, line } of blocks('yaml rules')) {
    const { ok, output } = promtool(t, ['check', 'rules'], text);
    t.ok(ok, `block of line ${line}: ${output}`);
  }
  for (const { text, line } of blocks('promql')) {
    const queries = text.split(/^#.*$/m).filter((query) => query.trim() !== '');
    const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
    t.ok(rules.length > 0);
    const { ok, output } = promtool(t, ['check', 'rules'], stringify({ groups: [{ name: 'queries', rules }] }));
    t.ok(ok, `block of line ${line}: ${output}`);
  }
});

t.test('each metric that README.md names is in the catalogue', async (t) => {
  const names = new Set((await allMetrics()).map(({ name }) => name));
  // Part of a help text that is given as it was.
  names.add('reaction_metrics_exporter');
  const named = readmeText.matchAll(/(?<![\w-])(?:reaction|trailgauge)_[a-z_]*[a-z](?![\w-]|_…)/g);
  const unknown = [...named].map(([name]) => name).filter((name) => !names.has(name));
  t.same([...new Set(unknown)], []);
});

t.test('the templates of README.md can be compiled', async (t) => {
  const rows = tableAfter(readme, '### Templates');
  const templates = rows.flatMap(([, here = '']) => codeSpans(here).filter((code) => code.includes('{{')));
  t.ok(templates.length >= rows.length);
  for (const template of templates) t.doesNotThrow(() => compileTemplate(template, 'pattern'), template);
  const bySample: readonly (readonly [template: string, value: string, result: string])[] = [
    ['{{last (split value "@")}}', 'mallory@example.org', 'example.org'],
    ['{{join (slice (split value ".") 0 2) "."}}', '192.0.2.1', '192.0'],
    ['{{network value 24 64}}', '192.0.2.77', '192.0.2.0/24'],
    ['{{network value 24 64}}', '2001:db8::1', '2001:db8::/64'],
    ['{{#if (includes value "bot")}}bot{{else}}human{{/if}}', 'a bot', 'bot'],
  ];
  for (const [template, value, result] of bySample) {
    t.ok(templates.includes(template), template);
    t.equal(compileTemplate(template, 'pattern')(value), result);
  }
});

t.test('the messages of the troubleshooting table are those of the program', async (t) => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const source = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
    .join('\n');
  const said = source.replaceAll('\\', '').replaceAll(/\$\{[^}]*\}/g, '…');
  for (const [symptom = ''] of tableAfter(readme, '## Troubleshooting')) {
    for (const message of codeSpans(symptom).filter((code) => / /.test(code))) {
      // One message may be put together from several, each behind a colon.
      for (const piece of message.split(/…|: /).map((part) => part.trim())) {
        if (piece.length > 6) t.ok(said.includes(piece), `${message}: ${piece}`);
      }
    }
  }
});

t.test('the command lines of README.md name what exists', async (t) => {
  const commands =
    /Commands:\n([\s\S]*?)\n\n/.exec(blocks('text').find(({ text }) => text.includes('Commands:'))?.text ?? '')?.[1] ??
    '';
  const known = new Set([...commands.matchAll(/^ {2}trailgauge ([a-z-]+)/gm)].map(([, name]) => name));
  t.ok(known.has('start'));
  const scripts = readme.blocks.filter(({ info }) => info === 'sh').flatMap(({ text }) => text.split('\n'));
  const lines = [...scripts, ...readme.prose.flatMap(codeSpans)].filter((line) =>
    /(^|npx |\| |exec trailgauge )trailgauge /.test(line),
  );
  t.ok(lines.length > 10);
  for (const line of lines) {
    const words = line.slice(line.lastIndexOf('trailgauge ')).split(' ').slice(1);
    const command = words.filter((word, index) => !word.startsWith('-') && !words[index - 1]?.startsWith('-'))[0];
    t.ok(known.has(command), line);
  }
  for (const { text } of blocks('sh')) {
    for (const [path] of text.matchAll(/(?<=\s)(?:systemd|docker)\/\S+/g)) t.ok(existsSync(join(root, path)), path);
  }
});
