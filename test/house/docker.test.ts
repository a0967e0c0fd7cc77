import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../support/paths.ts';
import { need } from '../support/services.ts';

const dockerfile = readFileSync(join(root, 'docker', 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
const example = readFileSync(join(root, 'docker', '.env.example'), 'utf8');
const composeText = readFileSync(join(root, 'docker', 'compose.yml'), 'utf8');

/** What these tests look at in compose.yml. */
const compose = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        user: z.string().optional(),
        privileged: z.boolean().optional(),
        read_only: z.boolean(),
        cap_drop: z.array(z.string()),
        security_opt: z.array(z.string()),
        ports: z.array(z.string()),
        volumes: z.array(
          z.union([
            z.string(),
            z.object({ type: z.literal('bind'), source: z.string(), target: z.string(), read_only: z.boolean() }),
          ]),
        ),
      }),
    ),
  })
  .parse(parse(composeText));

/** Paths that the Dockerfile copies out of the build context. */
function copied(): readonly string[] {
  return dockerfile
    .split('\n')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
}

/**
 * Whether .dockerignore keeps a path out of the build context: the last pattern that matches the path, or a folder
 * above it, decides. https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
function ignored(path: string): boolean {
  const parts = path.split('/');
  const places = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
  let out = false;
  for (const line of readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue;
    const pattern = line.trim().replace(/^!/, '').replace(/^\//, '');
    const expression = pattern
      .replaceAll(/[.+^$()|[\]{}\\]/g, '\\$&')
      .replaceAll(/\*\*\/?|\*|\?/g, (glob) => (glob.startsWith('**') ? '.*' : glob === '*' ? '[^/]*' : '[^/]'));
    if (places.some((place) => new RegExp(`^${expression}$`).test(place))) out = !line.startsWith('!');
  }
  return out;
}

function filesBelow(path: string): readonly string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesBelow(`${path}/${name}`));
}

t.test('what the Dockerfile copies exists, and is part of the build context', async (t) => {
  const paths = copied();
  t.ok(paths.includes('package-lock.json') && paths.includes('src'));
  for (const path of paths) {
    if (!t.ok(existsSync(join(root, path)), path)) continue;
    t.same(filesBelow(path).filter(ignored), [], path);
  }
});

t.test('the build context holds nothing else', async (t) => {
  const others = ['node_modules/x', '.git/config', 'dist/bin/main.js', 'docker/.env', 'test/house/x.ts', '.env', 'x'];
  t.same(
    others.filter((path) => !ignored(path)),
    [],
  );
  const kept = readdirSync(root).filter((name) => !ignored(name));
  t.same(
    kept.filter((name) => !copied().includes(name)),
    [],
  );
});

t.test('the image starts what package.json names, without root', async (t) => {
  const { bin, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  t.match(dockerfile, `ln -s /opt/trailgauge/${bin.trailgauge} /usr/local/bin/trailgauge`);
  t.match(dockerfile, 'ENTRYPOINT ["trailgauge"]');
  t.equal(dockerfile.match(/^USER .*$/gm)?.at(-1), 'USER 65532:65532');
  const images = [...dockerfile.matchAll(/^FROM node:([0-9]+)-/gm)].map((match) => Number(match[1]));
  t.equal(new Set(images).size, 1);
  t.ok((images[0] ?? 0) >= Number.parseFloat(engines.node.replace('>=', '')));
});

t.test('each service of compose.yml has the least of rights', async (t) => {
  for (const [name, service] of Object.entries(compose.services)) {
    t.equal(service.read_only, true, name);
    t.same(service.cap_drop, ['ALL'], name);
    t.ok(service.security_opt.includes('no-new-privileges:true'), name);
    t.notOk(service.privileged, name);
    for (const port of service.ports) t.match(port, /^127\.0\.0\.1:/, 'published to this host alone');
    for (const volume of service.volumes) {
      if (typeof volume === 'string') continue;
      t.equal(volume.read_only, true, volume.source);
      if (volume.source.startsWith('./')) t.ok(existsSync(join(root, 'docker', volume.source)), volume.source);
    }
  }
});

t.test('.env.example has each variable of compose.yml, and no other', async (t) => {
  const used = new Set([...composeText.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]));
  const given = new Set([...example.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]));
  t.same([...given].toSorted(), [...used].toSorted());
});

t.test('promtool takes prometheus.yml, and it names the port that trailgauge.yaml opens', async (t) => {
  const config = parse(readFileSync(join(root, 'docker', 'trailgauge.yaml'), 'utf8'));
  t.equal(config.listen.address, '0.0.0.0');
  t.match(readFileSync(join(root, 'docker', 'prometheus.yml'), 'utf8'), `trailgauge:${config.listen.port}`);
  if (!need(t, 'promtool')) return;
  const { status, stdout, stderr } = spawnSync(
    'promtool',
    ['check', 'config', join(root, 'docker', 'prometheus.yml')],
    {
      encoding: 'utf8',
    },
  );
  t.equal(status, 0, stdout + stderr);
});
