import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

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

/** The absolute path of a program, looked for in `PATH` and where Debian keeps daemons; null if it is not there. */
export function program(name: string): string | null {
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
 * fails, where `TRAILGAUGE_REQUIRE_SERVICES=1` says that everything was installed.
 */
export function need(t: Test, ...names: readonly string[]): boolean {
  const missing = names.filter((name) => program(name) === null);
  if (missing.length === 0) return true;
  return unavailable(
    t,
    missing.map((name) => `${name} is missing (Debian package ${packages.get(name) ?? name})`),
  );
}

/** Skips or fails a test, as `need` does, for what cannot be found by the name of a program. */
export function unavailable(t: Test, reasons: readonly string[]): false {
  const reason = reasons.join(', ');
  if (process.env.TRAILGAUGE_REQUIRE_SERVICES === '1') t.fail(reason);
  else t.pass('skipped', { skip: reason });
  return false;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
