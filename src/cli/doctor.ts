import { openAddresses } from '../core/addresses.ts';
import type { AddressesConfig } from '../core/addresses-config.ts';
import type { Finding } from '../core/source.ts';
import { tryState } from '../core/state.ts';
import { stateDirectory } from '../core/state-directory.ts';
import type { WriterConfig } from '../core/writer.ts';
import { loadWebConfig } from '../server/web-config.ts';
import { FAILED, type Io, OK, USAGE, write } from './io.ts';
import { type ConfigArguments, configName, DEFAULT_FILE, loadConfig } from './load.ts';
import { createLog } from './log.ts';

/** Tries what the configuration names, and prints one line for each thing. */
export async function doctor(args: ConfigArguments, io: Io): Promise<number> {
  const loaded = await loadConfig(args, io);
  if (!loaded) return USAGE;
  const { config, types } = loaded;
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
  for (const [name, section] of Object.entries(config.sources)) {
    const spec = types.sources.find(({ type }) => type === name.split('/', 1)[0]);
    if (!spec) continue;
    for await (const finding of spec.check(section, io.signal, io.env)) await say(name, finding);
  }
  const log = await createLog('silent', false);
  for (const [name, section] of Object.entries(config.writers)) {
    const spec = types.writers.find(({ type }) => type === name.split('/', 1)[0]);
    if (!spec) continue;
    const context = { name, log, env: io.env, now: io.now, stdout: io.stdout };
    // Each section went through its schema, which `writerSection` made.
    for await (const finding of spec.check(section as WriterConfig, context, io.signal))
      await say(`writer ${name}`, finding);
  }
  return wrong ? FAILED : OK;
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
