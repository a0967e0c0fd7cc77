import { dirname } from 'node:path';
import type { ITrigger } from '@kubernetes-models/knative/eventing.knative.dev/v1/Trigger';
import type { ISinkBinding } from '@kubernetes-models/knative/sources.knative.dev/v1/SinkBinding';
import type { IServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IService } from 'kubernetes-models/v1/Service';
import type { Manifest } from './manifests.ts';
import { dataOf, isAmong, labelsOf, type Workload, workloadsOf } from './workloads.ts';

/** Where documents that are valid by their schemas do not fit together. */
export function linkFaults(manifests: readonly Manifest[]): readonly string[] {
  const workloads = workloadsOf(manifests);
  return manifests.flatMap((manifest) => {
    const others = { manifests, workloads, folder: dirname(manifest.file) };
    const faults = [...placeFaults(manifest, manifests), ...(BY_KIND.get(manifest.kind)?.(manifest, others) ?? [])];
    return faults.map((fault) => `${manifest.file}: ${fault}`);
  });
}

interface Others {
  readonly manifests: readonly Manifest[];
  readonly workloads: readonly Workload[];
  /** Where the document is: what it refers to has to be there, too. */
  readonly folder: string;
}

/** The port at which Knative looks for a Service that it is referred to. */
const KNATIVE_PORT = 80;

const BY_KIND: ReadonlyMap<string, (manifest: Manifest, others: Others) => readonly string[]> = new Map(
  Object.entries({
    'apps/v1 StatefulSet': statefulSetFaults,
    'v1 Service': serviceFaults,
    'monitoring.coreos.com/v1 ServiceMonitor': monitorFaults,
    'networking.k8s.io/v1 NetworkPolicy': policyFaults,
    'sources.knative.dev/v1 SinkBinding': bindingFaults,
    'eventing.knative.dev/v1 Trigger': triggerFaults,
  }),
);

function placeFaults({ kind, name, value }: Manifest, manifests: readonly Manifest[]): readonly string[] {
  const twins = manifests.filter((one) => one.kind === kind && one.name === name);
  return [
    ...(twins.length > 1 ? [`${kind} ${name} is there ${twins.length} times`] : []),
    ...(hasNamespace(value) ? ['found a namespace, wanted that of who applies it'] : []),
  ];
}

function hasNamespace(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key === 'namespace' || hasNamespace(inner));
}

function statefulSetFaults({ name, value }: Manifest, { manifests, workloads, folder }: Others): readonly string[] {
  const { spec } = value as unknown as IStatefulSet;
  const own = workloads.find((workload) => workload.name === name);
  const services = namesOf(manifests, 'v1 Service', folder);
  return [
    ...(spec?.replicas === 1 ? [] : [`found ${spec?.replicas} replicas, wanted 1`]),
    // Else a pod that cannot start is never replaced by one that could: https://github.com/kubernetes/kubernetes/issues/67250
    ...(spec?.podManagementPolicy === 'Parallel' ? [] : ['found ordered pods, wanted Parallel']),
    ...(isAmong(spec?.selector.matchLabels, own?.podLabels ?? {}) ? [] : ['its selector does not match its pods']),
    ...(services.includes(spec?.serviceName ?? '') ? [] : [`found no Service ${spec?.serviceName}`]),
  ];
}

function serviceFaults({ value }: Manifest, { workloads, folder }: Others): readonly string[] {
  const { spec } = value as unknown as IService;
  const [workload, fault] = only(
    workloads.filter(({ podLabels }) => isAmong(spec?.selector, podLabels)),
    folder,
  );
  if (!workload) return [fault];
  const ports = portsOf(workload);
  return (spec?.ports ?? []).flatMap(({ targetPort }) => unknownPort(targetPort, ports));
}

function monitorFaults({ value }: Manifest, { manifests, folder }: Others): readonly string[] {
  const { spec } = value as unknown as IServiceMonitor;
  const services = manifests.filter(({ kind }) => kind === 'v1 Service');
  const matching = services.filter((one) => {
    return isAmong(spec.selector.matchLabels, labelsOf((one.value as unknown as IService).metadata?.labels));
  });
  const [service, fault] = only(matching, folder);
  if (!service) return [fault];
  const ports = ((service.value as unknown as IService).spec?.ports ?? []).map((port) => port.name);
  return (spec.endpoints ?? []).flatMap(({ port, path }) => [
    ...unknownPort(port, ports),
    ...(path === '/metrics' ? [] : [`found path ${path}, wanted /metrics`]),
  ]);
}

function policyFaults({ value }: Manifest, { workloads, folder }: Others): readonly string[] {
  const { spec } = value as unknown as INetworkPolicy;
  const [workload, fault] = only(
    workloads.filter(({ podLabels }) => isAmong(spec?.podSelector?.matchLabels, podLabels)),
    folder,
  );
  if (!workload) return [fault];
  const ports = portsOf(workload);
  return (spec?.ingress ?? []).flatMap((rule) => (rule.ports ?? []).flatMap(({ port }) => unknownPort(port, ports)));
}

function bindingFaults({ value }: Manifest, { workloads, folder }: Others): readonly string[] {
  const { apiVersion, kind, selector } = (value as unknown as ISinkBinding).spec.subject;
  // A binding looks at the labels of what makes the pods, not at those of the pods.
  const matching = workloads.filter((workload) => {
    return workload.kind === `${apiVersion} ${kind}` && isAmong(selector?.matchLabels, workload.labels);
  });
  return only(matching, folder)[0] ? [] : [only(matching, folder)[1]];
}

function triggerFaults({ value }: Manifest, { manifests, folder }: Others): readonly string[] {
  const { subscriber, delivery } = (value as unknown as ITrigger).spec ?? {};
  const { apiVersion, kind, name = '' } = subscriber?.ref ?? {};
  const service = manifests.find((one) => {
    return one.kind === `${apiVersion} ${kind}` && one.name === name && dirname(one.file) === folder;
  });
  const { pathname, searchParams } = new URL(`${subscriber?.uri}`, 'http://localhost');
  const token = dataOf(manifests, 'Secret', name)?.token;
  const policy = delivery?.backoffPolicy ?? '';
  const ports = ((service?.value as IService | undefined)?.spec?.ports ?? []).map(({ port }) => port);
  return [
    ...(service ? [] : [`found no ${apiVersion} ${kind} ${name}`]),
    ...(ports.includes(KNATIVE_PORT) ? [] : [`found ports ${ports}, wanted ${KNATIVE_PORT}`]),
    ...(pathname === '/ingest/cloudevents' ? [] : [`found path ${pathname}, wanted /ingest/cloudevents`]),
    ...(token && searchParams.get('token') === token ? [] : [`found another token than in Secret ${name}`]),
    ...(policy === 'exponential' || policy === 'linear' ? [] : [`found back-off policy ${policy}`]),
    ...(/^PT[0-9.]+S$/.test(delivery?.backoffDelay ?? '') ? [] : [`found back-off ${delivery?.backoffDelay}`]),
    ...((delivery?.retry ?? 0) > 0 ? [] : ['found no retries']),
  ];
}

/** The only one of a list, if it is in this folder; else what is wrong. */
function only<T extends { readonly file: string }>(found: readonly T[], folder: string): readonly [T | null, string] {
  const [first] = found;
  if (first && found.length === 1 && dirname(first.file) === folder) return [first, ''];
  const files = found.map(({ file }) => file).join(', ');
  return [null, `its selector matches ${files || 'nothing'}, wanted one in ${folder}`];
}

function namesOf(manifests: readonly Manifest[], kind: string, folder: string): readonly string[] {
  return manifests.filter((one) => one.kind === kind && dirname(one.file) === folder).map(({ name }) => name);
}

function portsOf({ container }: Workload): readonly (string | undefined)[] {
  return (container.ports ?? []).map(({ name }) => name);
}

function unknownPort(port: string | number | undefined, ports: readonly (string | undefined)[]): readonly string[] {
  return typeof port === 'string' && ports.includes(port) ? [] : [`found port ${port}, wanted one of ${ports.join()}`];
}
