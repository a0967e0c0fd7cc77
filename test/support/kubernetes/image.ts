import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../paths.ts';

/** What is fixed by the image, and by what else is said of it. */
export interface Image {
  /** With the tag. */
  readonly name: string;
  readonly user: number;
  readonly stateDirectory: string;
  /** The configuration that it starts with. */
  readonly configuration: string;
}

/** Reads docker/Dockerfile, docker/compose.yml and package.json; throws where one of them does not say. */
export function readImage(): Image {
  const dockerfile = readFileSync(join(root, 'docker', 'Dockerfile'), 'utf8');
  const compose = parse(readFileSync(join(root, 'docker', 'compose.yml'), 'utf8'));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const found = (pattern: RegExp) => {
    const text = pattern.exec(dockerfile)?.[1];
    if (text === undefined) throw new Error(`docker/Dockerfile: found nothing like ${pattern}`);
    return text;
  };
  return {
    name: `${compose.services.trailgauge.image}:${version}`,
    user: Number(found(/^USER ([0-9]+):/m)),
    stateDirectory: found(/\bSTATE_DIRECTORY=(\S+)/),
    configuration: found(/^CMD \["start", "-c", "([^"]+)"\]/m),
  };
}
