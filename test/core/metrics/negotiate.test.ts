import fc from 'fast-check';
import t from 'tap';
import { acceptsGzip, contentType, negotiate } from '../../../src/core/metrics/negotiate.ts';

const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/** What a scraper that sends this header gets, as its `Content-Type`. */
function answer(accept: string | undefined): string {
  return contentType(negotiate(accept));
}

t.test('what real scrapers ask for', async (t) => {
  const cases: readonly (readonly [who: string, accept: string | undefined, type: string])[] = [
    [
      'Prometheus 3',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
    ],
    [
      'Prometheus 3 with old names',
      'application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
    [
      'Prometheus 3 with native histograms',
      `${PROTOBUF};q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    ],
    [
      'Prometheus 3 without OpenMetrics',
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
    ],
    [
      'Prometheus 2.42',
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
    ['Prometheus 2.4', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', TEXT],
    ['curl', '*/*', TEXT],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', TEXT],
    ['nobody', undefined, TEXT],
  ];
  for (const [who, accept, type] of cases) t.equal(answer(accept), type, who);
});

t.test('as prometheus/common answers', async (t) => {
  const cases: readonly (readonly [accept: string, type: string])[] = [
    [PROTOBUF, 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'],
    [
      `${PROTOBUF}; escaping=allow-utf-8;`,
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8',
    ],
    ['text/plain;version=0.0.4', TEXT],
    ['text/plain;version=0.0.4; escaping=values;', 'text/plain; version=0.0.4; charset=utf-8; escaping=values'],
    [
      'text/plain;version=0.0.4; escaping=allow-utf-8',
      'text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8',
    ],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [
      'application/openmetrics-text;version=0.0.1; escaping=dots',
      'application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=dots',
    ],
    [
      'application/openmetrics-text;version=1.0.0; escaping=values;',
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values',
    ],
    ['application/openmetrics-text;version=0.0.4', TEXT],
    ['application/openmetrics-text;version=2.0.0, text/plain;q=0.1', TEXT],
    ['text/plain;version=invalid', TEXT],
    ['text/plain;escaping=invalid', TEXT],
    ['application/vnd.google.protobuf', TEXT],
    [PROTOBUF.replace('delimited', 'compact-text'), TEXT],
    [PROTOBUF.replace('MetricFamily', 'Metric'), TEXT],
  ];
  for (const [accept, type] of cases) t.equal(answer(accept), type, accept);
});

t.test('weights, ties and sloppy headers', async (t) => {
  const cases: readonly (readonly [accept: string, format: string])[] = [
    ['text/plain;q=0.5, application/openmetrics-text; version=1.0.0', 'openmetrics'],
    ['text/plain, application/openmetrics-text;q=0.9', 'text'],
    ['application/openmetrics-text, text/plain', 'text'],
    ['application/openmetrics-text, text/*', 'text'],
    [`${PROTOBUF}, */*`, 'text'],
    [`${PROTOBUF}, application/openmetrics-text`, 'protobuf'],
    [`application/openmetrics-text, ${PROTOBUF}`, 'openmetrics'],
    [`application/openmetrics-text;q=0.1, ${PROTOBUF};q=0.3`, 'protobuf'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=nonsense', 'text'],
    ['application/openmetrics-text;q=', 'text'],
    ['application/openmetrics-text;q=-1', 'text'],
    ['application/openmetrics-text;q=1.2.3', 'text'],
    ['application/openmetrics-text;q=9, text/plain', 'text'],
    ['text/plain;q=0.1, application/openmetrics-text;Q=0.2', 'openmetrics'],
    [' Application/OpenMetrics-Text ; Version = "1.0.0" ', 'openmetrics'],
    ['application/openmetrics-text;version=1.0.0;version=7', 'openmetrics'],
    [';;q=x,,', 'text'],
    [`${'x,'.repeat(100_000)}application/openmetrics-text`, 'text'],
  ];
  for (const [accept, format] of cases) t.equal(negotiate(accept).format, format, accept.slice(0, 100));
  t.equal(answer('*/*, text/plain;escaping=values'), 'text/plain; version=0.0.4; charset=utf-8; escaping=values');
  t.equal(answer('text/plain;version=1.0.0;escaping=dots'), 'text/plain; version=0.0.4; charset=utf-8; escaping=dots');
  t.equal(answer('application/foo;escaping=values, text/plain;q=0.5'), TEXT, 'escaping is that of the clause that won');
});

t.test('only what is offered is given', async (t) => {
  const accept = `${PROTOBUF}, application/openmetrics-text;q=0.5, text/plain;q=0.1`;
  t.equal(negotiate(accept).format, 'protobuf');
  t.equal(negotiate(accept, ['text', 'openmetrics']).format, 'openmetrics');
  t.equal(negotiate(accept, ['text']).format, 'text');
  t.equal(negotiate(accept, []).format, 'text');
});

t.test('no header makes it throw or answer with what nobody knows', async () => {
  const known =
    /^(text\/plain; version=(0\.0\.4|1\.0\.0); charset=utf-8|application\/openmetrics-text; version=(0\.0\.1|1\.0\.0); charset=utf-8|application\/vnd\.google\.protobuf; proto=io\.prometheus\.client\.MetricFamily; encoding=delimited)(; escaping=(dots|values|allow-utf-8))?$/;
  const part = fc.constantFrom(
    'text/plain',
    'application/openmetrics-text',
    PROTOBUF,
    '*/*',
    ';',
    ',',
    '=',
    '"',
    'q=0.5',
    ';q=1e9',
    ';version=1.0.0',
    ';escaping=dots',
    ';escaping=__proto__',
    '\u0000',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
      ),
      (accept) => {
        acceptsGzip(accept);
        if (!known.test(answer(accept))) throw new Error(answer(accept));
      },
    ),
  );
});

t.test('gzip', async (t) => {
  t.equal(acceptsGzip('gzip, deflate'), true);
  t.equal(acceptsGzip('x-gzip'), true);
  t.equal(acceptsGzip('GZIP;q=0.1'), true);
  t.equal(acceptsGzip('gzip;q=0'), false);
  t.equal(acceptsGzip('gzip;q=0, *'), false);
  t.equal(acceptsGzip('*;q=0.1'), true);
  t.equal(acceptsGzip('br'), false);
  t.equal(acceptsGzip(undefined), false);
});
