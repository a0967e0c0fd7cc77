import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { root } from './paths.ts';

/** The Debian package of a program, where it is not called as the program. */
const packages: ReadonlyMap<string, string> = new Map([
  ['journalctl', 'systemd'],
  ['systemd-analyze', 'systemd'],
  ['systemd-notify', 'systemd'],
  ['systemd-journal-remote', 'systemd-journal-remote'],
  ['promtool', 'prometheus'],
  ['influxd', 'influxdb'],
  ['sh', 'dash'],
  ['ip', 'iproute2'],
  ['htpasswd', 'apache2-utils'],
]);

/** Programs that no package has: the script that builds one, and tells its path, and what it builds with. */
const built: ReadonlyMap<string, { readonly script: string; readonly tool: string }> = new Map([
  ['minio', { script: 'test/services/minio.sh', tool: 'go' }],
  ['neo4j', { script: 'test/services/neo4j.sh', tool: 'mvn' }],
]);

/** The absolute path of a program, looked for in `PATH` and where Debian keeps daemons; null if it is not there. */
export function program(name: string): string | null {
  const script = built.get(name)?.script;
  if (script !== undefined) {
    const path = spawnSync('sh', [join(root, script), 'path'], { encoding: 'utf8' }).stdout.trim();
    return executable(path) ? path : null;
  }
  const folders = [...(process.env.PATH ?? '').split(':'), '/lib/systemd', '/usr/lib/systemd', '/usr/sbin'];
  for (const folder of folders) {
    if (!folder.startsWith('/')) continue;
    const path = join(folder, name);
    if (executable(path)) return path;
  }
  return null;
}

/**
 * True if all these programs are there. If not, the test is skipped with a reason that names what to install; or it
 * fails, where `TRAILGAUGE_REQUIRE_SERVICES=1` says that everything was installed. What has to be built cannot be had
 * everywhere: that is a skip in any case, which `scripts/count.mjs` knows by its words.
 */
export function need(t: Test, ...names: readonly string[]): boolean {
  const missing = names.filter((name) => program(name) === null);
  if (missing.length === 0) return true;
  for (const name of missing) {
    const { script, tool } = built.get(name) ?? {};
    if (tool === undefined) continue;
    t.pass('skipped', { skip: `cannot be had here: ${name} is missing (${script} builds it with ${tool})` });
    return false;
  }
  return unavailable(
    t,
    missing.map((name) => `${name} is missing (${sourceOf(name)})`),
  );
}

/** Skips or fails a test, as `need` does, for what cannot be found by the name of a program. */
export function unavailable(t: Test, reasons: readonly string[]): false {
  const reason = reasons.join(', ');
  if (process.env.TRAILGAUGE_REQUIRE_SERVICES === '1') t.fail(reason);
  else t.pass('skipped', { skip: reason });
  return false;
}

function sourceOf(name: string): string {
  return `Debian package ${packages.get(name) ?? name}`;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
