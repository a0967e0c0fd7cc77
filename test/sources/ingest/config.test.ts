import t from 'tap';
import { readConfig } from '../../../src/core/config.ts';
import { defaultYaml } from '../../../src/describe/defaults.ts';
import { ingestSource } from '../../../src/sources/ingest/index.ts';

const SPEC = ingestSource([]);

function read(text: string) {
  return readConfig(text, { format: 'yaml', env: {}, types: { sources: [SPEC], writers: [] } });
}

function errorsOf(text: string): readonly string[] {
  return read(text).errors.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
}

t.test('a receiver is off until it is named', async (t) => {
  const section = (text: string) => read(`sources: {ingest: ${text}}`).config?.sources.ingest;
  t.same(section('{cloudevents: {}}'), { cloudevents: { token: null, max_body: '8MiB' } });
  t.same(section('{cloudevents: {token: {env: X}, max_body: 1MiB}}'), {
    cloudevents: { token: { env: 'X' }, max_body: '1MiB' },
  });
  const none = 'found no receiver, wanted at least one of cloudevents: {}';
  for (const text of ['', '{}', '{cloudevents: }', '{cloudevents: null}'])
    t.same(errorsOf(`sources:\n  ingest: ${text}\n`), [`2:11: sources.ingest: ${none}`], text);
  t.match(errorsOf('sources: {ingest: {cloudevent: {}}}')[0], 'perhaps cloudevents');
  t.match(errorsOf('sources: {ingest: {cloudevents: yes}}')[0], 'wanted a map with token, max_body');
  t.match(errorsOf('sources: {ingest: {cloudevents: {max_body: big}}}')[0], 'wanted a size');
});

t.test('without a token, for this machine alone', async (t) => {
  const text = (address: string, token = '') =>
    `listen:\n  address: '${address}'\nsources:\n  ingest/a:\n    cloudevents:\n      max_body: 1MiB${token}\n`;
  for (const address of ['127.0.0.1', '127.3.2.1', '::1', 'localhost']) t.same(errorsOf(text(address)), [], address);
  for (const address of ['0.0.0.0', '::', '192.0.2.1', '::ffff:192.0.2.1', 'example.test']) {
    const wish = 'wanted a token, or an address that only this machine can reach, such as 127.0.0.1';
    const [error, ...others] = errorsOf(text(address));
    t.same(others, []);
    t.match(error, `: sources.ingest/a.cloudevents.token: found none, with listen.address "${address}", ${wish}`);
    t.match(error, /^[56]:/, 'the nearest place there is');
    t.same(errorsOf(text(address, '\n      token: x')), []);
    t.same(errorsOf(text(address, '\n      token: {file: /x}')), []);
  }
});

t.test('the defaults, once they are no comment, are a configuration', async (t) => {
  const yaml = defaultYaml({ core: {}, sources: [SPEC], writers: [], on: [] });
  const lines = yaml
    .split('\n')
    .map((line) => line.replace(/^( *)# (?=(?: *)(?:ingest|cloudevents|token|max_body):)/, '$1'));
  t.same(read(lines.join('\n')).config?.sources, { ingest: { cloudevents: { token: null, max_body: '8MiB' } } });
});
