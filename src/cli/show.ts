import { stringify } from 'yaml';
import { CORE_SECTIONS } from '../core/core-sections.ts';
import { masked } from '../core/fields.ts';
import { readVersion } from '../core/version.ts';
import { defaultConfig, defaultYaml } from '../describe/defaults.ts';
import { metricsTable } from '../describe/tables.ts';
import { allMetrics, loadParts } from './catalogue.ts';
import { type Io, OK, USAGE, write } from './io.ts';
import { type ConfigArguments, type Loaded, loadServed } from './load.ts';

/** The whole default configuration. */
export async function defaults(format: 'yaml' | 'json', io: Io): Promise<number> {
  const parts = await loadParts();
  await write(io.stdout, format === 'json' ? json(defaultConfig(parts)) : defaultYaml(parts));
  return OK;
}

/** Validates the configuration and prints it completed, with its secrets masked. */
export async function testConfig(
  args: ConfigArguments & { readonly output: 'yaml' | 'json' },
  io: Io,
): Promise<number> {
  const loaded = await loadServed(args, io);
  if (!loaded) return USAGE;
  const shown = shownConfig(loaded);
  await write(io.stdout, args.output === 'json' ? json(shown) : stringify(shown, { lineWidth: 0 }));
  return OK;
}

/** The catalogue of metrics. */
export async function metrics(format: 'yaml' | 'json', io: Io): Promise<number> {
  const rows = await allMetrics();
  await write(io.stdout, format === 'json' ? json(rows) : metricsTable(rows));
  return OK;
}

export async function version(format: 'yaml' | 'json', io: Io): Promise<number> {
  const { name, version: number, revision, node } = readVersion(io.env);
  const text = `${name} ${number} (revision ${revision}, Node.js ${node})\n`;
  await write(io.stdout, format === 'json' ? json({ name, version: number, revision, node }) : text);
  return OK;
}

function shownConfig({ config, types }: Loaded): Record<string, unknown> {
  const sections = (part: 'sources' | 'writers') =>
    Object.entries(config[part]).map(([name, section]) => {
      const spec = types[part].find(({ type }) => type === name.split('/', 1)[0]);
      return [name, masked(spec?.config, section)] as const;
    });
  const core = Object.entries(CORE_SECTIONS).map(
    ([key, schema]) => [key, masked(schema, config[key as keyof typeof CORE_SECTIONS])] as const,
  );
  return {
    ...Object.fromEntries(core),
    sources: Object.fromEntries(sections('sources')),
    writers: Object.fromEntries(sections('writers')),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
