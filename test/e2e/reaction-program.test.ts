import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { follower, scrape } from '../support/follower.ts';
import { writeScript } from '../support/journal.ts';
import { fixture } from '../support/paths.ts';
import { type Exposition, seriesKey } from '../support/strict-exposition.ts';
import { eventually, type Program } from '../support/trailgauge.ts';

t.setTimeout(120_000);
// Most of the time is spent waiting.
t.jobs = 4;

/** A stand-in for reaction that notes when it is asked what. */
interface Stand {
  readonly folder: string;
  readonly command: string;
  /** Its configuration, which it does not read itself, and the answers it gives. */
  readonly config: string;
  readonly answers: string;
  readonly env: Readonly<Record<string, string>>;
  calls(): readonly { readonly at: number; readonly args: string }[];
}

function stand(t: Test, mode: string): Stand {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const noted = join(folder, 'calls');
  const command = writeScript(
    join(folder, 'reaction'),
    `echo "$(date +%s%3N) $*" >>${noted}\nexec ${fixture('reaction/reaction')} "$@"`,
  );
  const [config, answers] = [join(folder, 'etc'), join(folder, 'answers')];
  cpSync(fixture('reaction/etc'), config, { recursive: true });
  cpSync(fixture('reaction/answers'), answers, { recursive: true });
  const calls = () =>
    (existsSync(noted) ? readFileSync(noted, 'utf8').trimEnd().split('\n') : []).map((line) => {
      const [at = '', ...args] = line.split(' ');
      return { at: Number(at), args: args.join(' ') };
    });
  return { folder, command, config, answers, env: { FAKE_REACTION_MODE: mode, FAKE_REACTION_ANSWERS: answers }, calls };
}

function follow(t: Test, { command, config, env }: Stand) {
  return follower(t, { reaction: { command, config, socket: '/run/no.sock' }, env });
}

/** The first scrape after reaction was asked for its pending actions. */
async function sampled(program: Program): Promise<Exposition> {
  return eventually('reaction to be asked', async () => {
    const shown = await scrape(program, 'test');
    return shown.value('reaction_up') === undefined ? null : shown;
  });
}

function pendingOf(exposition: Exposition): Readonly<Record<string, number>> {
  const families = ['reaction_pending', 'reaction_pending_count'].map((name) => exposition.families.get(name));
  return Object.fromEntries(
    families.flatMap((family) => (family?.samples ?? []).map(({ key, value }) => [key, value])),
  );
}

function expectedPending(): Readonly<Record<string, number>> {
  const expected = JSON.parse(readFileSync(fixture('reaction/expected/v2.json'), 'utf8')) as {
    name: string;
    labels: Record<string, string>;
    value: number;
  }[];
  const pending = expected.filter(({ name }) => name.startsWith('reaction_pending'));
  // Without the transformation that drops this label.
  for (const { name, labels } of pending) {
    if (name === 'reaction_pending_count' && labels.stream === 'nginx') labels.browser = 'Mozilla/5.0 (X11; Linux)';
  }
  return Object.fromEntries(pending.map(({ name, labels, value }) => [seriesKey(name, Object.entries(labels)), value]));
}

for (const mode of ['ok', 'preamble', 'noformat']) {
  t.test(`reaction that answers: ${mode}`, { buffered: true }, async (t) => {
    const place = stand(t, mode);
    const program = await follow(t, place).start();
    const shown = await sampled(program);
    t.equal(shown.value('reaction_up'), 1);
    t.equal(shown.value('reaction_status_info', { version: '2.3.0', status: '1' }), 1);
    t.same(pendingOf(shown), expectedPending());
    t.equal(
      shown.value('reaction_matches_total', { stream: 'cloud', filter: 'login' }),
      0,
      'its configuration is known',
    );
    const asked = () => place.calls().map(({ args }) => args.replace(/ --socket \S+/, ''));
    t.ok(asked().includes(`test-config -c ${place.config}`));
    if (mode !== 'noformat') return t.notOk(asked().includes('show'));
    const shows = () => asked().filter((args) => args.startsWith('show'));
    await eventually('the next question', () => shows().length > 2);
    t.same(shows(), ['show --format json', 'show', 'show'], 'it is not asked again for what it does not know');
  });
}

t.test('reaction that is down', { buffered: true }, async (t) => {
  const shown = await sampled(await follow(t, stand(t, 'down')).start());
  t.equal(shown.value('reaction_up'), 0);
  t.equal(shown.value('reaction_status_info', { version: '2.3.0', status: '0' }), 1);
  t.same(pendingOf(shown), {}, 'nobody knows what is pending');
  t.equal(shown.value('reaction_actions_total', { stream: 'ssh', filter: 'failedlogin', action: 'ban' }), 0);
});

t.test('reaction that is not installed', { buffered: true }, async (t) => {
  const place = stand(t, 'ok');
  const shown = await sampled(await follow(t, { ...place, command: '/no/such/reaction' }).start());
  t.equal(shown.value('reaction_up'), 0);
  t.equal(shown.value('reaction_status_info', { version: 'N/A', status: '0' }), 1);
  t.equal(shown.value('reaction_matches_total', { stream: 'ssh', filter: 'failedlogin' }), 0, 'its files are read');
});

t.test('reaction that answers nonsense', { buffered: true }, async (t) => {
  const program = await follow(t, stand(t, 'garbage')).start();
  const shown = await sampled(program);
  t.equal(shown.value('reaction_up'), 1, 'it ended with 0');
  t.same(pendingOf(shown), {});
  t.match(program.log(), /does not tell its pending actions/);
});

t.test('reaction that refuses its configuration', { buffered: true }, async (t) => {
  const place = follow(t, stand(t, 'badconf'));
  const program = await place.start();
  const shown = await sampled(program);
  t.equal(shown.value('reaction_up'), 1);
  t.equal(shown.value('reaction_matches_total', { stream: 'ssh', filter: 'failedlogin' }), 0, 'its files are read');
  t.equal(shown.value('reaction_matches_total', { stream: 'cloud', filter: 'login' }), undefined);
  t.match(program.log(), /ERROR no stream configured/);
});

t.test('reaction that never answers', { buffered: true }, async (t) => {
  const place = follow(t, stand(t, 'hang'));
  const program = await place.start();
  const began = performance.now();
  // Within the five seconds that it is waited for.
  for (let last = 0; last < 3_000; last = performance.now() - began) {
    const asked = performance.now();
    const shown = await scrape(program, 'test');
    if (shown.value('reaction_up') !== undefined) break;
    t.ok(performance.now() - asked < 2_500, 'a scrape does not wait for reaction');
  }
  await place.append(program, 'INFO ssh.failedlogin: match ["192.0.2.1"]');
  const shown = await sampled(program);
  t.equal(shown.value('reaction_up'), 0);
  t.same(pendingOf(shown), {});
  t.equal(shown.value('reaction_matches_total', { stream: 'ssh', filter: 'failedlogin' }), 1);
  t.equal(await program.stop(), 0, 'nor does it keep the program from ending');
});

/** The moments at which the configuration was asked for. */
function readings({ calls }: Stand): readonly number[] {
  return calls().flatMap(({ at, args }) => (args.startsWith('test-config') ? [at] : []));
}

/** Adds a stream to what reaction says of its configuration. */
function reconfigure({ answers }: Stand, stream: string): void {
  const file = join(answers, 'test-config.yaml');
  const added = `  ${stream}:\n    cmd: [x]\n    filters: { new: { regex: [x] } }\n`;
  writeFileSync(file, readFileSync(file, 'utf8') + added);
}

/** Waits until a stream is known. */
async function known(program: Program, stream: string): Promise<void> {
  await eventually(
    `${stream} to be known`,
    async () => (await scrape(program, 'test')).value('reaction_matches_total', { stream, filter: 'new' }) === 0,
  );
}

// What the script notes is later than the question, once more and once less.
const TEN_SECONDS = 8_500;

t.test(
  'the configuration is read again when reaction starts, every ten seconds at most',
  { buffered: true },
  async (t) => {
    const place = stand(t, 'ok');
    const log = follow(t, place);
    const program = await log.start();
    t.equal(readings(place).length, 1);
    reconfigure(place, 'one');
    const starts = ['INFO start command: run ["x"]', 'INFO ssh: start ["y"]'];
    await log.append(program, ...starts, ...starts, ...starts);
    await known(program, 'one');
    t.equal(readings(place).length, 2, 'six starts, one question');
    reconfigure(place, 'two');
    await log.append(program, 'INFO mail: start ["y"]');
    await known(program, 'two');
    const [first = 0, second = 0, third = 0] = readings(place);
    t.ok(second - first > TEN_SECONDS, `${second - first} ms`);
    t.ok(third - second > TEN_SECONDS, `${third - second} ms`);
    t.equal(readings(place).length, 3);
  },
);

t.test('the configuration is read again when a file in its folder comes or goes', { buffered: true }, async (t) => {
  const place = stand(t, 'ok');
  const program = await follow(t, place).start();
  const file = join(place.config, '50-new.yml');
  reconfigure(place, 'one');
  writeFileSync(file, 'streams: {}\n');
  await known(program, 'one');
  reconfigure(place, 'two');
  rmSync(file);
  await known(program, 'two');
  const times = readings(place);
  t.ok(
    times.every((time, index) => index === 0 || time - (times[index - 1] ?? 0) > TEN_SECONDS),
    times.join(),
  );
});

t.test('the configuration is read again when its only file is replaced', { buffered: true }, async (t) => {
  const place = stand(t, 'ok');
  const config = join(place.folder, 'reaction.yml');
  const program = await follow(t, { ...place, config }).start();
  // At first there is none.
  for (const stream of ['one', 'two']) {
    reconfigure(place, stream);
    writeFileSync(`${config}.new`, `# ${stream}\n`);
    renameSync(`${config}.new`, config);
    await known(program, stream);
  }
  t.pass('as editors do');
});
