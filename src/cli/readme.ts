import { Writable } from 'node:stream';
import { CORE_SECTIONS } from '../core/core-sections.ts';
import { fillGenerated } from '../describe/readme.ts';
import { metricsMarkdown, optionsMarkdown, sourcesMarkdown, writersMarkdown } from '../describe/tables.ts';
import { allMetrics, loadTypes } from './catalogue.ts';
import { main } from './index.ts';

/** README.md with the parts that the program itself can tell brought up to date. */
export async function completeReadme(text: string): Promise<string> {
  const { sources, writers } = await loadTypes();
  const metrics = await allMetrics();
  const hasMetrics = (type: string) => metrics.some(({ source }) => source === type);
  const metricsOf = (type: string) => metricsMarkdown(metrics.filter(({ source }) => source === type));
  return fillGenerated(
    text,
    new Map([
      ['sources', sourcesMarkdown(sources)],
      ['writers', writersMarkdown(writers)],
      ['commands', `\`\`\`text\n${await help()}\`\`\``],
      ['options', optionsMarkdown(Object.entries(CORE_SECTIONS))],
      ['metrics', metricsOf('-')],
      ...sources.flatMap(({ type, config }): (readonly [string, string])[] => [
        [`options of ${type}`, optionsMarkdown([[`sources.${type}`, config]])],
        // What it counts may be all of other sources.
        ...(hasMetrics(type) ? ([[`metrics of ${type}`, metricsOf(type)]] as const) : []),
      ]),
      ...writers.map(({ type, config }): [string, string] => [
        `options of ${type}`,
        optionsMarkdown([[`writers.${type}`, config]]),
      ]),
    ]),
  );
}

async function help(): Promise<string> {
  let text = '';
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  const io = { stdout: sink, stderr: sink, stdin: process.stdin, env: {}, now: Date.now, signal: AbortSignal.abort() };
  await main(['--help'], io);
  return text;
}
