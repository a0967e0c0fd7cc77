import { dirname } from 'node:path';
import { parse } from 'yaml';
import type { Image } from './image.ts';
import type { Manifest } from './manifests.ts';
import { dataOf, filesOf, type MountedFile, type Workload } from './workloads.ts';

/** What the configuration of a pod says, as far as it has to fit to the pod. */
export interface PodConfiguration {
  readonly text: string;
  readonly listen: { readonly address: string; readonly port: number };
  readonly sources: Readonly<Record<string, unknown>>;
  readonly writers: Readonly<Record<string, unknown>>;
}

/** Where probes may look. */
export const PROBES: readonly string[] = ['/-/healthy', '/-/ready'];

/** The configuration that the program in a pod reads; null if it would find none. */
export function configurationOf(
  workload: Workload,
  manifests: readonly Manifest[],
  image: Image,
): PodConfiguration | null {
  const text = filesOf(workload, manifests).find(({ path }) => path === image.configuration)?.text;
  return text === undefined ? null : { ...parse(text), text };
}

/** Where a pod does not fit to the image, to its configuration, or to the ConfigMaps and Secrets that it names. */
export function podFaults(workload: Workload, manifests: readonly Manifest[], image: Image): readonly string[] {
  const configuration = configurationOf(workload, manifests, image);
  const files = filesOf(workload, manifests);
  return [
    ...(configuration ? configurationFaults(configuration, workload, files) : [`found no ${image.configuration}`]),
    ...(workload.container.image === image.name ? [] : [`found ${workload.container.image}, wanted ${image.name}`]),
    ...files.filter(({ text }) => text === undefined).map(({ path }) => `found no key for ${path}`),
    ...volumeFaults(workload, manifests, image),
    ...variableFaults(workload, manifests),
    ...probeFaults(workload),
  ].map((fault) => `${workload.file}: ${fault}`);
}

function configurationFaults(
  { text, listen, writers }: PodConfiguration,
  { kind, container }: Workload,
  files: readonly MountedFile[],
): readonly string[] {
  const ports = (container.ports ?? []).map(({ containerPort }) => containerPort);
  const named = [...text.matchAll(/(?<=[\s:])\/(?:etc|var)\/[\w./-]+/g)].map(([path]) => path);
  const missing = named.filter((path) => !files.some((file) => file.path === path));
  return [
    ...(ports.join() === String(listen.port) ? [] : [`found port ${ports}, wanted ${listen.port}`]),
    ...(listen.address === '0.0.0.0' ? [] : [`found address ${listen.address}, wanted 0.0.0.0`]),
    ...missing.map((path) => `found no file ${path}, which the configuration names`),
    ...(kind.endsWith(' ContainerSource') && !('cloudevents' in writers) ? ['found no writer for the sink'] : []),
  ];
}

function volumeFaults({ pod, container, claims }: Workload, manifests: readonly Manifest[], image: Image) {
  const volumes = [...(pod.volumes ?? []).map(({ name }) => name), ...claims];
  const mounts = container.volumeMounts ?? [];
  const state = mounts.find(({ mountPath }) => mountPath === image.stateDirectory);
  const absent = (pod.volumes ?? []).filter(
    ({ configMap, secret }) =>
      (configMap && !dataOf(manifests, 'ConfigMap', configMap.name)) ||
      (secret && !dataOf(manifests, 'Secret', secret.secretName)),
  );
  return [
    ...mounts.filter(({ name }) => !volumes.includes(name)).map(({ name }) => `found no volume ${name}`),
    ...volumes.filter((name) => !mounts.some((mount) => mount.name === name)).map((name) => `${name} is not mounted`),
    ...(state && !state.readOnly ? [] : [`found nothing to write to at ${image.stateDirectory}`]),
    ...absent.map(({ name }) => `found nothing for volume ${name}`),
    ...mounts
      .filter(({ mountPath, readOnly }) => dirname(mountPath) === '/etc' && !readOnly)
      .map(({ mountPath }) => `${mountPath} can be written to`),
  ];
}

function variableFaults({ container }: Workload, manifests: readonly Manifest[]): readonly string[] {
  return (container.env ?? []).flatMap(({ name, value, valueFrom }) => {
    const { secretKeyRef: secret, configMapKeyRef: map } = valueFrom ?? {};
    const data = secret ? dataOf(manifests, 'Secret', secret.name) : dataOf(manifests, 'ConfigMap', map?.name);
    const key = secret?.key ?? map?.key ?? '';
    return value !== undefined || data?.[key] ? [] : [`found no ${key} for variable ${name}`];
  });
}

function probeFaults({ container }: Workload): readonly string[] {
  const ports = (container.ports ?? []).map(({ name }) => name);
  const { startupProbe, livenessProbe, readinessProbe } = container;
  return Object.entries({ startupProbe, livenessProbe, readinessProbe }).flatMap(([probe, wanted]) => {
    const { path = '', port } = wanted?.httpGet ?? {};
    return [
      ...(PROBES.includes(path) ? [] : [`found path "${path}" in ${probe}, wanted one of ${PROBES.join()}`]),
      ...(ports.includes(`${port}`) ? [] : [`found port ${port} in ${probe}, wanted one of ${ports.join()}`]),
    ];
  });
}
