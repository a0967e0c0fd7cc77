#!/usr/bin/env node
import { constants } from 'node:os';
import { main } from './cli/index.ts';

/** How long what is left behind may take to end by itself. */
const GRACE_MS = 5_000;

const stop = new AbortController();
for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[name]);
    stop.abort();
  });
}
// A reader that goes away, as `head` does, is no failure.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(0);
  process.stderr.write(`trailgauge: cannot write to standard output: ${message}\n`);
  process.exit(1);
});

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  now: Date.now,
  signal: stop.signal,
});

// All is written and closed by now. A connection of a library that neither opens nor fails must not keep the process.
setTimeout(() => process.exit(), GRACE_MS).unref();
