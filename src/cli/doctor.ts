import { openAddresses } from '../core/addresses.ts';
import type { AddressesConfig } from '../core/addresses-config.ts';
import type { Finding } from '../core/source.ts';
import { tryState } from '../core/state.ts';
import { stateDirectory } from '../core/state-directory.ts';
import type { WriterConfig } from '../core/writer.ts';
import { loadWebConfig } from '../server/web-config.ts';
import { type Check, runChecks } from './checks.ts';
import { FAILED, failed, type Io, OK, USAGE, write } from './io.ts';
import { type ConfigArguments, configName, DEFAULT_FILE, type Loaded, loadConfig } from './load.ts';
import { createLog } from './log.ts';

/** Tries what the configuration names, sources and writers side by side, and prints one line for each thing. */
export async function doctor(args: ConfigArguments, io: Io): Promise<number> {
  const loaded = await loadConfig(args, io);
  if (!loaded) return USAGE;
  const { config } = loaded;
  let wrong = false;
  const say = async (name: string, { ok, detail }: Finding) => {
    wrong ||= !ok;
    await write(io.stdout, `${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail.replaceAll('\n', ' ')}\n`);
  };
  await say('configuration', { ok: true, detail: configName(args) ?? `all defaults, as there is no ${DEFAULT_FILE}` });
  if (config.listen.web_config !== null) await say('web_config', checkWebConfig(config.listen.web_config));
  const { addresses } = config;
  if (addresses.country !== null || addresses.asn !== null) await say('addresses', checkAddresses(addresses));
  await say('state', await checkState(stateDirectory(config.state.directory, io.env)));
  const left: string[] = [];
  for await (const [name, told] of runChecks(await checksOf(loaded, io), { signal: io.signal })) {
    if (told === 'stopped') left.push(name);
    else await say(name, told);
  }
  if (left.length > 0)
    return failed(io, new Error(`stopped before all was checked; not checked to the end: ${left.join(', ')}`));
  return wrong ? FAILED : OK;
}

/** Sources and writers, in the order of the configuration. */
async function checksOf({ config, types }: Loaded, { env, now, stdout }: Io): Promise<readonly Check[]> {
  const log = await createLog('silent', false);
  const sources = Object.entries(config.sources).flatMap(([name, section]): Check[] => {
    const spec = types.sources.find(({ type }) => type === name.split('/', 1)[0]);
    return spec ? [{ name, run: (signal, heard) => spec.check(section, signal, env, heard) }] : [];
  });
  const writers = Object.entries(config.writers).flatMap(([name, section]): Check[] => {
    const spec = types.writers.find(({ type }) => type === name.split('/', 1)[0]);
    const context = { name, log, env, now, stdout };
    // Each section went through its schema, which `writerSection` made.
    const written = section as WriterConfig;
    return spec ? [{ name: `writer ${name}`, run: (signal) => spec.check(written, context, signal) }] : [];
  });
  return [...sources, ...writers];
}

function checkWebConfig(path: string): Finding {
  try {
    const { tls } = loadWebConfig(path, { onProblem: () => {} });
    return { ok: true, detail: `${path} can be used; ${tls ? 'TLS' : 'no TLS'}` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function checkAddresses(config: AddressesConfig): Finding {
  try {
    openAddresses(config, { follow: false, log: { info: () => {}, warn: () => {} } });
    const paths = [config.country, config.asn].filter((path) => path !== null);
    return { ok: true, detail: `${paths.join(' and ')} can be used` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function checkState(directory: string): Promise<Finding> {
  try {
    return { ok: true, detail: await tryState(directory) };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    // A running trailgauge has it: that is as it should be.
    return { ok: detail.includes('in use by process'), detail };
  }
}
