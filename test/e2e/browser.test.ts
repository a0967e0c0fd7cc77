import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { need } from '../support/services.ts';
import { main } from '../support/trailgauge.ts';

/** A demo that runs until the test ends; its address. */
async function startDemo(t: Test): Promise<string> {
  const demo = spawn(process.execPath, [main, 'demo', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => stop(demo));
  for await (const line of createInterface({ input: demo.stdout })) {
    const url = /http:\/\/[0-9.]+:[0-9]+\//.exec(line)?.[0];
    if (url) return url;
  }
  throw new Error('the demo ended without telling its address');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

/** The document as Chromium has it after loading, and what it complained about. */
async function browse(t: Test, url: string): Promise<{ dom: string; complaints: readonly string[] }> {
  const profile = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(profile, { recursive: true, force: true }));
  const child = spawn(
    'chromium',
    [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage'],
      ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...['--enable-logging=stderr', `--user-data-dir=${profile}`, '--dump-dom', url],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.teardown(() => stop(child));
  const [dom, log] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { dom, complaints: log.split('\n').filter((line) => line.includes('CONSOLE')) };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += chunk;
  return text;
}

t.test('the status page of a running demo, in a browser', async (t) => {
  if (!need(t, 'chromium')) return;
  const url = await startDemo(t);
  await (await fetch(new URL('metrics?scraper=browser', url))).text();
  const { dom, complaints } = await browse(t, url);
  t.same(complaints, [], 'the browser takes all of it');
  t.match(dom, '<title>trailgauge: all sources are being read</title>');
  t.match(dom, /<h3><bdi>reaction<\/bdi><\/h3>\s*<p><strong class="good"><span aria-hidden="true">●<\/span> reading/);
  t.match(dom, '<bdi>reaction_<wbr>matches_<wbr>total</bdi>');
  t.match(dom, '<bdi>name browser</bdi>');
  t.match(dom, /<details>\s*<summary id="own">/);
  for (const [, link = ''] of dom.matchAll(/<a href="([^"]*)"/g)) {
    const answer = await fetch(new URL(link.replaceAll('&amp;', '&'), url));
    t.equal(answer.status, 200, link);
    await answer.text();
  }
});
