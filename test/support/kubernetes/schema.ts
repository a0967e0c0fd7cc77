import { Trigger } from '@kubernetes-models/knative/eventing.knative.dev/v1/Trigger';
import { ContainerSource } from '@kubernetes-models/knative/sources.knative.dev/v1/ContainerSource';
import { SinkBinding } from '@kubernetes-models/knative/sources.knative.dev/v1/SinkBinding';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import type { Manifest } from './manifests.ts';

/** What is wrong with a document by the schema of its kind; keys that the schema does not know are wrong. */
export function schemaFaults({ file, kind, value }: Manifest): readonly string[] {
  const model = MODELS.get(kind);
  if (!model) return [`${file}: found ${kind}, wanted one of ${[...MODELS.keys()].join(', ')}`];
  // The controller writes it, but these models want it there.
  const document = STATUS.has(kind) ? { ...value, status: {} } : value;
  const watched = watch(document);
  try {
    model.validate.call(watched.value as never);
  } catch (error) {
    return [`${file}: ${error instanceof Error ? error.message : String(error)}`];
  }
  return watched.unread().map((path) => `${file}: found unknown key ${path}`);
}

const MODELS: ReadonlyMap<string, { validate(): void }> = new Map(
  Object.entries({
    'v1 ConfigMap': ConfigMap.prototype,
    'v1 Secret': Secret.prototype,
    'v1 Service': Service.prototype,
    'apps/v1 StatefulSet': StatefulSet.prototype,
    'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy.prototype,
    'monitoring.coreos.com/v1 ServiceMonitor': ServiceMonitor.prototype,
    'sources.knative.dev/v1 SinkBinding': SinkBinding.prototype,
    'sources.knative.dev/v1 ContainerSource': ContainerSource.prototype,
    'eventing.knative.dev/v1 Trigger': Trigger.prototype,
  }),
);
const STATUS = new Set(['sources.knative.dev/v1 SinkBinding', 'sources.knative.dev/v1 ContainerSource']);

interface Watched {
  readonly value: object;
  /** Paths of the keys that nobody has asked for. */
  unread(): readonly string[];
}

/**
 * The models take keys that they do not know, as the schemas of Kubernetes do. But a validator asks for each key that
 * the schema has, and for no other.
 */
function watch(value: object): Watched {
  const read = new Map<object, Set<string | symbol>>();
  const views = new Map<object, object>();
  const view = (inner: unknown): unknown => {
    if (typeof inner !== 'object' || inner === null) return inner;
    const known = views.get(inner);
    if (known) return known;
    const keys = new Set<string | symbol>();
    read.set(inner, keys);
    const get = (target: object, key: string | symbol) => {
      keys.add(key);
      return view(Reflect.get(target, key));
    };
    const proxy = new Proxy(inner, { get });
    views.set(inner, proxy);
    return proxy;
  };
  const unread = (inner: unknown, path: string): readonly string[] => {
    if (typeof inner !== 'object' || inner === null) return [];
    return Object.entries(inner).flatMap(([key, below]) =>
      read.get(inner)?.has(key) ? unread(below, `${path}/${key}`) : [`${path}/${key}`],
    );
  };
  return { value: view(value) as object, unread: () => unread(value, '') };
}
