import t from 'tap';
import { isAttributeName, isCoreName } from '../../../src/lib/cloud-events/names.ts';
import { isJsonType } from '../../../src/lib/cloud-events/types.ts';

t.test('names of attributes', async (t) => {
  for (const name of ['a', '0', 'sourceip', 'a'.repeat(20)]) t.ok(isAttributeName(name), name);
  for (const name of ['', 'A', 'a-b', 'a_b', 'ä', 'a b', 'a\n', 'a'.repeat(21), '__proto__']) {
    t.notOk(isAttributeName(name), JSON.stringify(name));
  }
});

t.test('names that no extension has', async (t) => {
  for (const name of ['id', 'source', 'type', 'specversion', 'time', 'subject', 'datacontenttype', 'data']) {
    t.ok(isCoreName(name), name);
  }
  for (const name of ['status', 'constructor', 'sourceip', '']) t.notOk(isCoreName(name), name);
});

t.test('content types of JSON', async (t) => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'text/json', 'application/x+json ;a=b']) {
    t.ok(isJsonType(type), type);
  }
  for (const type of ['', 'json', 'text/plain', 'application/jsonl', 'text/plain; a=application/json']) {
    t.notOk(isJsonType(type), type);
  }
});
