import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { JsonObject } from '../../../src/lib/json-value.ts';
import { root } from '../paths.ts';

/** A document of a file. */
export interface Manifest {
  /** Path below `docker/kubernetes/knative`. */
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly value: JsonObject;
}

/** Where the manifests are. */
export const place: string = join(root, 'docker', 'kubernetes', 'knative');

/** All documents, but no kustomizations. With `examples`, what stands in comments for example is part of them. */
export function readManifests({ examples = false } = {}): readonly Manifest[] {
  const files = yamlFiles().filter((file) => !file.endsWith('kustomization.yaml'));
  return files.flatMap((file) => {
    const text = textOf(file);
    return documentsOf(examples ? withExamples(text) : text, file).map((value) => manifestOf(value, file));
  });
}

/** The kustomizations by the folders they are in. */
export function readKustomizations(): ReadonlyMap<string, JsonObject> {
  const files = yamlFiles().filter((file) => file.endsWith('/kustomization.yaml'));
  return new Map(files.map((file) => [dirname(file), documentsOf(textOf(file), file)[0] as JsonObject]));
}

/** Paths of all YAML files. */
export function yamlFiles(): readonly string[] {
  const files = readdirSync(place, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.yaml')).toSorted();
}

/** A copy in which one document is changed. */
export function changed(
  manifests: readonly Manifest[],
  file: string,
  change: (value: Record<string, unknown>) => void,
): readonly Manifest[] {
  if (!manifests.some((manifest) => manifest.file === file)) throw new Error(`there is no ${file}`);
  return manifests.map((manifest) => {
    if (manifest.file !== file) return manifest;
    const value = structuredClone(manifest.value) as Record<string, unknown>;
    change(value);
    return manifestOf(value, file);
  });
}

function textOf(file: string): string {
  return readFileSync(join(place, file), 'utf8');
}

function documentsOf(text: string, file: string): readonly JsonObject[] {
  // Kubernetes reads YAML 1.1: what is a truth value or an octal number there has to be told.
  for (const version of ['1.1', '1.2'] as const) {
    for (const { errors, warnings } of parseAllDocuments(text, { version })) {
      const [problem] = [...errors, ...warnings];
      if (problem) throw new Error(`${file}: ${problem.message}`);
    }
  }
  const [old, young] = (['1.1', '1.2'] as const).map((version) =>
    parseAllDocuments(text, { version }).map((document) => document.toJS() as JsonObject),
  );
  if (JSON.stringify(old) !== JSON.stringify(young)) throw new Error(`${file}: YAML 1.1 and 1.2 read it differently`);
  return young ?? [];
}

function manifestOf(value: JsonObject, file: string): Manifest {
  const { name } = value.metadata as { readonly name: string };
  return { file, kind: `${value.apiVersion} ${value.kind}`, name, value };
}

/** Takes the `# ` off the lines below a comment that begins with "For example" and ends with a colon. */
function withExamples(text: string): string {
  let isExample = false;
  return text
    .split('\n')
    .map((line) => {
      const comment = /^ *# /.test(line);
      const plain = comment && isExample ? line.replace('# ', '') : line;
      isExample = comment && (isExample || /^ *# For example,.*:$/.test(line));
      return plain;
    })
    .join('\n');
}
