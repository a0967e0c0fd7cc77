import t from 'tap';
import { type Addresses, NO_ADDRESSES } from '../../../src/core/addresses.ts';
import { compileTemplate } from '../../../src/sources/reaction/template.ts';

t.test('templates', async (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['{{last (split email "@")}}', 'mallory@example.org', 'example.org'],
    ['{{join (slice (split value ".") 0 2) "."}}', '1.2.3.4', '1.2'],
    ['{{#if (includes value "bot")}}bot{{else}}human{{/if}}', 'a bot', 'bot'],
    ['{{#if (includes value "bot")}}bot{{else}}human{{/if}}', 'a man', 'human'],
    ['{{#unless value}}e{{else if (eq value "b")}}B{{else}}C{{/unless}}', 'b', 'B'],
    ['{{#unless value}}e{{else if (eq value "b")}}B{{else}}C{{/unless}}', '', 'e'],
    ['{{^if value}}no{{/if}}', '', 'no'],
    ['{{email}}{{{email}}}{{&email}}{{[email]}}{{./email}}', '<&"\'>', '<&"\'>'.repeat(5)],
    ['a{{!-- note --}} {{~value~}} b\\{{value}}', 'x', 'axb{{value}}'],
    ['{{nth (split value ".") 5}}', 'a', ''],
    ['{{split value "."}}', 'a.b', 'a,b'],
    ['{{eq value "a"}} {{length value}}', 'a', 'true 1'],
    ['', 'a', ''],
    ['plain', 'a', 'plain'],
    ['{{value}}\n', 'a\n', 'a\n'],
    ['{{value}}\n\r\n', 'a', 'a\n'],
    ['{{concat "{%" value "#}"}} {% {#', 'a', '{%a#} {% {#'],
  ];
  for (const [template, value, wanted] of cases) t.equal(compileTemplate(template, 'email')(value), wanted, template);
});

t.test('the names of patterns', async (t) => {
  t.equal(compileTemplate('{{lower}}', 'lower')('A'), 'A', 'the pattern is nearer than the helper');
  t.equal(compileTemplate('{{lower lower}}', 'lower')('A'), 'a');
  t.equal(compileTemplate('{{upper value}}', 'user-agent')('a'), 'A');
  t.equal(compileTemplate('{{[user agent]}}', 'user agent')('a'), 'a');
  t.equal(compileTemplate('{{__proto__}}', '__proto__')('a'), 'a');
  t.equal(compileTemplate('{{value}}', 'value')('a'), 'a');
});

t.test('mistakes are found when it is compiled', async (t) => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ['{{last (split email', /^Handlebars says: Parse error on line 1: Expecting 'CLOSE_RAW_BLOCK', .*, got 'INVALID'$/],
    ['a\nb {{last (split email "@") foo=}}\n', /^Handlebars says: Parse error on line 2: Expecting .*, got 'CLOSE'$/],
    ['{{#if value}}y{{/unless}}', "Handlebars says: if doesn't match unless - 1:3"],
    ['a\n{{#if value}}y', /^Handlebars says: Parse error on line 2: Expecting .*, got 'EOF'$/],
    ['{{mail}}', 'line 1, column 3: found the variable "mail", wanted "email" or "value"'],
    ['x {{lower mail}}', 'line 1, column 11: found the variable "mail", wanted "email" or "value"'],
    ['{{email.length}}', 'line 1, column 3: found the variable "email.length", wanted "email" or "value"'],
    ['{{constructor}}', 'line 1, column 3: found the variable "constructor", wanted "email" or "value"'],
    ['{{this}}', 'line 1, column 3: found the variable "this", wanted "email" or "value"'],
    ['{{../email}}', 'line 1, column 3: found the variable "../email", wanted "email" or "value"'],
    ['{{@root}}', 'line 1, column 3: found the variable "@root", wanted "email" or "value"'],
    ['{{"text"}}', 'line 1, column 3: found the variable "text", wanted "email" or "value"'],
    ['{{lowr email}}', 'line 1, column 1: found the helper "lowr", wanted "lower"'],
    ['\n{{lookup email 1}}', /^line 2, column 1: found the helper "lookup", wanted one of split, join, /],
    ['{{__proto__ email}}', /^line 1, column 1: found the helper "__proto__", wanted one of /],
    ['{{lower}}', 'line 1, column 1: found 0 arguments, wanted (lower text)'],
    ['{{slice email}}', 'line 1, column 1: found 1 argument, wanted (slice list from [to])'],
    ['{{concat}}', /^line 1, column 1: found 0 arguments, wanted \(concat a \[b\] …\)$/],
    ['{{class}}', 'line 1, column 1: found 0 arguments, wanted (class address)'],
    ['{{network}}', 'line 1, column 1: found 0 arguments, wanted (network address [bits4] [bits6])'],
    ['{{contry email}}', 'line 1, column 1: found the helper "contry", wanted "country"'],
    ['{{lower email x=1}}', 'line 1, column 1: found a named argument, wanted (lower text)'],
    ['{{upper (lower email email)}}', 'line 1, column 9: found 2 arguments, wanted (lower text)'],
    ['{{> part}}', 'line 1, column 1: found a partial or a decorator, wanted text, a value, #if or #unless'],
    ['{{#> part}}{{/part}}', /found a partial or a decorator/],
    ['{{* part}}', /found a partial or a decorator/],
    ['{{#each email}}{{/each}}', 'line 1, column 1: found the block "each", wanted #if or #unless'],
    ['{{#email}}{{/email}}', 'line 1, column 1: found the block "email", wanted #if or #unless'],
    ['{{#if email as |x|}}{{/if}}', 'line 1, column 1: wanted one condition for #if, and nothing else'],
    ['{{#if}}{{/if}}', 'line 1, column 1: wanted one condition for #if, and nothing else'],
    ['{{#if email}}{{else if mail}}{{/if}}', 'line 1, column 24: found the variable "mail", wanted "email" or "value"'],
    [
      `${'{{#if value}}'.repeat(200)}${'{{/if}}'.repeat(200)}`,
      /^line 1, column 1301: found more than 100 blocks and calls in one another$/,
    ],
    [
      `{{lower ${'(lower '.repeat(200)}value${')'.repeat(200)}}}`,
      /found more than 100 blocks and calls in one another$/,
    ],
    [
      'a {% if email % 2 %}',
      'found "{% if email % 2 %}", wanted Handlebars: README has a table for templates of Jinja',
    ],
    ['{# note #}{{email}}', 'found "{# note #}", wanted Handlebars: README has a table for templates of Jinja'],
    ['{{ email | lower }}', /^Handlebars says: .*; wanted Handlebars: README has a table for templates of Jinja$/],
    ["{{ email.split('@')[0] }}", /^Handlebars says: .*; wanted Handlebars: README has a table/],
    ["{{ 'a' ~ email }}", /^Handlebars says: .*; wanted Handlebars: README has a table/],
    ['x'.repeat(10_001), 'found 10001 characters, wanted at most 10000'],
  ];
  for (const [template, message] of cases) {
    t.throws(() => compileTemplate(template, 'email'), { message }, template.slice(0, 60));
  }
});

t.test('failures on a value name their place', async (t) => {
  t.throws(() => compileTemplate('a{{lower (nth (split value ".") 5)}}', 'x')('a'), {
    message: 'line 1, column 2: lower found nothing, wanted a text',
  });
  t.throws(() => compileTemplate('{{value}}{{value}}', 'x')('a'.repeat(40_000)), {
    message: 'the result has 80000 characters, wanted at most 65536',
  });
});

t.test('what is known of addresses', async (t) => {
  const told = (name: string, value: string): Addresses => ({
    ...NO_ADDRESSES,
    classOf: (address) => (address === value ? name : null),
  });
  const [a, b] = [told('a', '192.0.2.1'), told('b', '192.0.2.1')];
  const show = (template: string, value: string, addresses?: Addresses) =>
    compileTemplate(template, 'ip', addresses)(value);
  t.equal(show('{{class ip}}', '192.0.2.1', a), 'a');
  t.equal(show('{{class ip}}', '192.0.2.1', b), 'b', 'each has its own');
  t.equal(show('{{class ip}}', '192.0.2.1', a), 'a');
  t.equal(show('{{class ip}}', '192.0.2.2', a), '', 'nothing is empty');
  t.equal(show('{{class ip}}{{country ip}}{{asn ip}}{{organization ip}}', '192.0.2.1'), '');
  t.equal(show('{{default (country ip) "none"}}', '192.0.2.1'), 'none');
  t.equal(show('{{#if (class ip)}}ours{{else}}{{network ip}}{{/if}}', '192.0.2.2', a), '192.0.2.0/24');
  for (const name of ['class', 'country', 'asn', 'network']) {
    t.equal(compileTemplate(`{{${name}}}`, name, a)('x'), 'x', 'the pattern is nearer than the helper');
  }
});
