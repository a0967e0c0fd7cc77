import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { root } from '../support/paths.ts';
import { need } from '../support/services.ts';

const unit = join(root, 'systemd', 'trailgauge.service');

/** A folder with the units and their drop-ins; what they start is replaced by a program that is there. */
function units(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const start = `ExecStart=${process.execPath} --version`;
  writeFileSync(join(folder, 'trailgauge.service'), readFileSync(unit, 'utf8').replace(/^ExecStart=.*$/m, start));
  writeFileSync(join(folder, 'reaction.service'), `[Service]\n${start}\n`);
  for (const [service, dropIn] of [
    ['trailgauge', 'trailgauge-reaction.conf'],
    ['reaction', 'reaction-socket.conf'],
  ] as const) {
    mkdirSync(join(folder, `${service}.service.d`));
    copyFileSync(join(root, 'systemd', dropIn), join(folder, `${service}.service.d`, 'test.conf'));
  }
  return folder;
}

function analyze(args: readonly string[], unitPath?: string): { status: number | null; output: string } {
  const env = unitPath === undefined ? process.env : { ...process.env, SYSTEMD_UNIT_PATH: `${unitPath}:` };
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8', env });
  return { status, output: stdout + stderr };
}

t.test('systemd takes the unit and the drop-ins without complaint', async (t) => {
  if (!need(t, 'systemd-analyze')) return;
  const folder = units(t);
  for (const name of ['trailgauge.service', 'reaction.service']) {
    const { status, output } = analyze(['verify', '--man=no', '--recursive-errors=no', join(folder, name)], folder);
    // Complaints about other units of the host name those.
    const ours = output.split('\n').filter((line) => /trailgauge|reaction/.test(line));
    t.same(ours, [], name);
    t.equal(status, 0, output);
  }
});

t.test('a mistake in a drop-in would be seen', async (t) => {
  if (!need(t, 'systemd-analyze')) return;
  const folder = units(t);
  writeFileSync(join(folder, 'trailgauge.service.d', 'test.conf'), '[Service]\nSupplementaryGroup=x\n');
  const path = join(folder, 'trailgauge.service');
  const { output } = analyze(['verify', '--man=no', '--recursive-errors=no', path], folder);
  t.match(output, 'SupplementaryGroup');
});

t.test('the service is exposed as little as it can be', async (t) => {
  if (!need(t, 'systemd-analyze')) return;
  // 1.5 of 10 with systemd 252. Most of the rest is the network, which it is there for.
  const { status, output } = analyze(['security', '--offline=true', '--threshold=15', '--no-pager', unit]);
  t.equal(status, 0, output.trim().split('\n').at(-1) ?? '');
});
