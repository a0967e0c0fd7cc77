import type { IContainerSource } from '@kubernetes-models/knative/sources.knative.dev/v1/ContainerSource';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { ISecret } from 'kubernetes-models/v1/Secret';
import type { Manifest } from './manifests.ts';

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;

/** What runs pods. */
export interface Workload {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly labels: Labels;
  readonly podLabels: Labels;
  readonly pod: IPodSpec;
  readonly container: IContainer;
  /** Volumes that are made for each pod. */
  readonly claims: readonly string[];
}

/** A file that a pod sees. */
export interface MountedFile {
  readonly path: string;
  /** Absent for a secret that the manifests do not have. */
  readonly text: string | undefined;
}

/** All that runs pods; of documents that are valid by their schemas. */
export function workloadsOf(manifests: readonly Manifest[]): readonly Workload[] {
  return manifests.flatMap(({ file, kind, name, value }) => {
    if (kind !== 'apps/v1 StatefulSet' && kind !== 'sources.knative.dev/v1 ContainerSource') return [];
    const { metadata, spec } = value as unknown as IStatefulSet | IContainerSource;
    const template = spec?.template;
    const pod = template?.spec as IPodSpec;
    const claims = (spec && 'volumeClaimTemplates' in spec ? spec.volumeClaimTemplates : null) ?? [];
    return [
      {
        file,
        kind,
        name,
        labels: labelsOf(metadata?.labels),
        podLabels: labelsOf(template?.metadata?.labels),
        pod,
        container: pod.containers[0] as IContainer,
        claims: claims.map((claim) => claim.metadata?.name ?? ''),
      },
    ];
  });
}

/** Whether these labels are among those. */
export function isAmong(wanted: Labels | undefined, labels: Labels): boolean {
  const pairs = Object.entries(wanted ?? {});
  return pairs.length > 0 && pairs.every(([name, value]) => labels[name] === value);
}

/** Labels, or none. */
export function labelsOf(labels: Readonly<Record<string, string>> | undefined): Labels {
  return labels ?? {};
}

/** Keys and texts of a ConfigMap or a Secret; null if there is none of this name. */
export function dataOf(
  manifests: readonly Manifest[],
  kind: 'ConfigMap' | 'Secret',
  name: string | undefined,
): Labels | null {
  const found = manifests.find((manifest) => manifest.kind === `v1 ${kind}` && manifest.name === name)?.value;
  if (!found) return null;
  return (kind === 'Secret' ? (found as unknown as ISecret).stringData : (found as unknown as IConfigMap).data) ?? {};
}

/** The files of ConfigMaps and Secrets that a pod sees. */
export function filesOf({ pod, container }: Workload, manifests: readonly Manifest[]): readonly MountedFile[] {
  return (container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const volume = pod.volumes?.find((one) => one.name === name);
    const data =
      (volume?.configMap && dataOf(manifests, 'ConfigMap', volume.configMap.name)) ??
      (volume?.secret && dataOf(manifests, 'Secret', volume.secret.secretName)) ??
      {};
    const items = volume?.configMap?.items ?? volume?.secret?.items;
    const keys = items ?? Object.keys(data).map((key) => ({ key, path: key }));
    return keys.map(({ key, path }) => ({ path: `${mountPath}/${path}`, text: data[key] }));
  });
}

/** The variables that a container has by its manifest. */
export function variablesOf({ container }: Workload, manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  const pairs = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const { secretKeyRef: secret, configMapKeyRef: map } = valueFrom ?? {};
    const data = secret ? dataOf(manifests, 'Secret', secret.name) : dataOf(manifests, 'ConfigMap', map?.name);
    return [name, value ?? data?.[secret?.key ?? map?.key ?? ''] ?? ''] as const;
  });
  return Object.fromEntries(pairs);
}
