import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/lib/json-value.ts';
import { cli, file, folder } from '../support/cli.ts';
import { get } from '../support/http.ts';
import { readImage } from '../support/kubernetes/image.ts';
import { linkFaults } from '../support/kubernetes/links.ts';
import {
  changed,
  type Manifest,
  readKustomizations,
  readManifests,
  yamlFiles,
} from '../support/kubernetes/manifests.ts';
import { configurationOf, PROBES, podFaults } from '../support/kubernetes/pods.ts';
import { schemaFaults } from '../support/kubernetes/schema.ts';
import { securityFaults } from '../support/kubernetes/security.ts';
import { dataOf, variablesOf, workloadsOf } from '../support/kubernetes/workloads.ts';
import { home } from '../support/trailgauge.ts';

const image = readImage();
const manifests = readManifests();
const SINK = 'http://broker-ingress.knative-eventing.svc.cluster.local/trails/default';

/** All that is wrong with documents; how they fit together is only looked at where each is valid. */
function faultsOf(documents: readonly Manifest[]): readonly string[] {
  const invalid = documents.flatMap(schemaFaults);
  if (invalid.length > 0) return invalid;
  const pods = workloadsOf(documents).flatMap((workload) => [
    ...podFaults(workload, documents, image),
    ...securityFaults(workload, image),
  ]);
  return [...linkFaults(documents), ...pods];
}

t.test('every document is valid and fits to the others, to the image and to the rules of security', async (t) => {
  t.same(faultsOf(manifests), []);
  t.equal(workloadsOf(manifests).length, 3);
});

t.test('what stands in comments for example is valid, too', async (t) => {
  const documents = readManifests({ examples: true });
  t.same(faultsOf(documents), []);
  const spec = (file: string) => documents.find((manifest) => manifest.file === file)?.value.spec as JsonObject;
  t.match(spec('exporter/sinkbinding.yaml'), { ceOverrides: { extensions: { cluster: 'north' } } });
  t.match(spec('container-source/containersource.yaml'), { ceOverrides: { extensions: { cluster: 'north' } } });
  t.match(spec('receiver/trigger.yaml'), { delivery: { deadLetterSink: {} }, filter: { attributes: {} } });
});

t.test('each folder has all that is listed, and lists all that it has', async (t) => {
  const kustomizations = readKustomizations();
  const files = yamlFiles().filter((path) => !path.endsWith('/kustomization.yaml'));
  t.same([...kustomizations.keys()], ['container-source', 'exporter', 'receiver']);
  for (const [place, kustomization] of kustomizations) {
    const { apiVersion, kind, resources, images, ...others } = kustomization;
    t.same([apiVersion, kind, others], ['kustomize.config.k8s.io/v1beta1', 'Kustomization', {}], place);
    const own = files.filter((path) => dirname(path) === place).map((path) => path.slice(place.length + 1));
    t.same((resources as string[]).toSorted(), own, place);
    const [name, newTag] = image.name.split(':');
    t.same(images, [{ name, newName: name, newTag }], place);
  }
  t.same(
    files.filter((path) => !kustomizations.has(dirname(path))),
    ['secrets.example.yaml'],
  );
});

t.test('the clouds file of the Secret has the cloud that the configurations name', async (t) => {
  const { clouds } = parse(dataOf(manifests, 'Secret', 'trailgauge-clouds')?.['clouds.yaml'] ?? '');
  const named = workloadsOf(manifests).flatMap((workload) => {
    const { cts } = configurationOf(workload, manifests, image)?.sources ?? {};
    return cts ? [(cts as { readonly cloud: string }).cloud] : [];
  });
  t.same(named, ['otc', 'otc']);
  t.same(Object.keys(clouds), ['otc']);
});

t.test('the program takes the configurations, in the environment that the pods have', async (t) => {
  const place = folder(t);
  for (const workload of workloadsOf(manifests)) {
    const configuration = configurationOf(workload, manifests, image);
    const path = file(place, `${workload.name}.yaml`, configuration?.text ?? '');
    const env = { STATE_DIRECTORY: image.stateDirectory, ...variablesOf(workload, manifests) };
    const overrides = '{"extensions":{"cluster":"north"}}';
    const environments = [
      env,
      { ...env, K_SINK: SINK, K_CE_OVERRIDES: '' },
      { ...env, K_SINK: SINK, K_CE_OVERRIDES: overrides },
    ];
    const runs = environments.map((variables) => cli(['-c', path, 'test-config'], { env: variables }));
    for (const { code, stderr } of await Promise.all(runs)) t.same({ code, stderr }, { code: 0, stderr: '' }, path);
  }
});

t.test('a running receiver answers the probes, and takes what the Trigger sends', async (t) => {
  const receiver = workloadsOf(manifests).find(({ name }) => name === 'trailgauge-receiver');
  const configuration = receiver && configurationOf(receiver, manifests, image);
  const place = folder(t);
  const token = file(place, 'token', dataOf(manifests, 'Secret', 'trailgauge-receiver')?.token ?? '');
  const sources = JSON.parse(JSON.stringify(configuration?.sources).replace('/etc/trailgauge-receiver/token', token));
  t.match(sources, { ingest: { cloudevents: { token: { file: token } } } });
  // Neo4j is away: that is no reason not to take events.
  const env = { NEO4J_URI: 'bolt://127.0.0.1:1', NEO4J_USER: 'neo4j', NEO4J_PASSWORD: 'x' };
  const { start } = home(t, { sources, writers: configuration?.writers }, env);
  const program = await start();
  for (const path of PROBES) t.equal((await get(`${program.url}${path}`)).status, 200, path);
  const trigger = manifests.find(({ file }) => file === 'receiver/trigger.yaml')?.value.spec as JsonObject;
  const { uri } = trigger.subscriber as { readonly uri: string };
  const event = { specversion: '1.0', id: '1', source: '/cellar', type: 'winery.test', data: {} };
  const headers = { 'content-type': 'application/cloudevents+json' };
  const asked = { method: 'POST', headers, body: JSON.stringify(event) };
  t.equal((await get(new URL(uri, program.url).href, asked)).status, 202);
  t.equal((await get(new URL(`${uri}x`, program.url).href, asked)).status, 401);
  t.match((await get(`${program.url}/metrics`)).text, 'trailgauge_source_events_total{source="ingest"} 1\n');
});

/** A way to break a file, and a part of what is said of it. */
type Break = readonly [file: string, path: string, value: unknown, fault: string];

const CONTAINER = 'spec.template.spec.containers.0';
const BREAKS: readonly Break[] = [
  ['exporter/statefulset.yaml', 'spec.template.spec.tolerationz', [], 'unknown key /spec/template/spec/tolerationz'],
  ['exporter/statefulset.yaml', `${CONTAINER}.livenessProbe.httpGet.pth`, '/', 'unknown key'],
  ['exporter/statefulset.yaml', 'metadata.lables', {}, 'unknown key /metadata/lables'],
  ['exporter/statefulset.yaml', 'spec.replicas', '1', 'must be integer'],
  ['exporter/statefulset.yaml', 'spec.template.spec.containers', undefined, 'required property containers'],
  ['exporter/statefulset.yaml', 'kind', 'Deployment', 'found apps/v1 Deployment, wanted one of'],
  ['exporter/configmap.yaml', 'dta', {}, 'unknown key /dta'],
  ['exporter/service.yaml', 'spec.ports.0.prt', 1, 'unknown key'],
  ['exporter/networkpolicy.yaml', 'spec.ingress.0.form', [], 'unknown key'],
  ['exporter/servicemonitor.yaml', 'spec.endpoints.0.interval', '30', 'must match pattern'],
  ['exporter/servicemonitor.yaml', 'spec.selectr', {}, 'unknown key'],
  ['exporter/sinkbinding.yaml', 'spec.sink.ref.nam', 'x', 'unknown key'],
  ['container-source/containersource.yaml', `${CONTAINER}.imge`, 'x', 'unknown key'],
  ['receiver/trigger.yaml', 'spec.delivery.retires', 1, 'unknown key'],
  ['receiver/trigger.yaml', 'metadata.namespace', 'trails', 'found a namespace'],
  ['receiver/trigger.yaml', 'spec.subscriber.ref.namespace', 'trails', 'found a namespace'],
  ['exporter/service.yaml', 'metadata.name', 'trailgauge-receiver', 'is there 2 times'],
  ['exporter/statefulset.yaml', 'spec.replicas', 2, 'found 2 replicas, wanted 1'],
  ['exporter/statefulset.yaml', 'spec.podManagementPolicy', undefined, 'found ordered pods'],
  ['exporter/statefulset.yaml', 'spec.selector.matchLabels', { app: 'x' }, 'selector does not match its pods'],
  ['exporter/statefulset.yaml', 'spec.serviceName', 'x', 'found no Service x'],
  ['exporter/service.yaml', 'spec.selector', { app: 'x' }, 'selector matches nothing'],
  ['exporter/service.yaml', 'spec.selector', { 'app.kubernetes.io/name': 'trailgauge' }, 'wanted one in exporter'],
  ['exporter/service.yaml', 'spec.ports.0.targetPort', 'web', 'found port web, wanted one of http'],
  ['exporter/servicemonitor.yaml', 'spec.selector.matchLabels', { app: 'x' }, 'selector matches nothing'],
  ['exporter/servicemonitor.yaml', 'spec.endpoints.0.port', 'web', 'found port web'],
  ['exporter/servicemonitor.yaml', 'spec.endpoints.0.path', '/', 'wanted /metrics'],
  ['exporter/networkpolicy.yaml', 'spec.podSelector', {}, 'selector matches nothing'],
  ['exporter/networkpolicy.yaml', 'spec.ingress.0.ports.0.port', 'web', 'found port web'],
  ['exporter/sinkbinding.yaml', 'spec.subject.kind', 'Deployment', 'selector matches nothing'],
  ['exporter/statefulset.yaml', 'metadata.labels', { app: 'x' }, 'sinkbinding.yaml: its selector matches nothing'],
  ['receiver/trigger.yaml', 'spec.subscriber.ref.name', 'x', 'found no v1 Service x'],
  ['receiver/trigger.yaml', 'spec.subscriber.uri', '/ingest?token=REPLACE-WITH-A-TOKEN', 'found path /ingest'],
  ['receiver/trigger.yaml', 'spec.subscriber.uri', '/ingest/cloudevents', 'found another token'],
  ['receiver/trigger.yaml', 'spec.delivery.backoffPolicy', 'quadratic', 'found back-off policy quadratic'],
  ['receiver/service.yaml', 'spec.ports.0.port', 8080, 'found ports 8080, wanted 80'],
  ['exporter/configmap.yaml', 'metadata.name', 'x', 'found nothing for volume configuration'],
  ['exporter/configmap.yaml', 'data', { 'x.yaml': '' }, 'found no /etc/trailgauge/trailgauge.yaml'],
  ['exporter/statefulset.yaml', `${CONTAINER}.ports.0.containerPort`, 9090, 'found port 9090, wanted 8080'],
  ['exporter/statefulset.yaml', `${CONTAINER}.image`, 'trailgauge:latest', 'found trailgauge:latest'],
  ['exporter/statefulset.yaml', `${CONTAINER}.volumeMounts.0.mountPath`, '/data', 'found nothing to write to'],
  ['exporter/statefulset.yaml', `${CONTAINER}.volumeMounts.0.name`, 'x', 'found no volume x'],
  [
    'exporter/statefulset.yaml',
    `${CONTAINER}.volumeMounts.2.mountPath`,
    '/etc/os',
    'found no file /etc/openstack/clouds',
  ],
  ['exporter/statefulset.yaml', `${CONTAINER}.volumeMounts.2.readOnly`, false, '/etc/openstack can be written to'],
  ['receiver/statefulset.yaml', 'spec.template.spec.volumes.1.secret.items.0.key', 'tkn', 'found no key for'],
  ['receiver/statefulset.yaml', `${CONTAINER}.env.0.valueFrom.secretKeyRef.key`, 'URI', 'found no URI for variable'],
  ['exporter/statefulset.yaml', `${CONTAINER}.livenessProbe.httpGet.path`, '/health', 'found path "/health"'],
  ['exporter/statefulset.yaml', `${CONTAINER}.readinessProbe`, undefined, 'in readinessProbe'],
  ['exporter/statefulset.yaml', 'spec.template.spec.securityContext.runAsUser', 0, 'instead of root'],
  ['exporter/statefulset.yaml', 'spec.template.spec.securityContext.seccompProfile', undefined, 'RuntimeDefault'],
  ['exporter/statefulset.yaml', 'spec.template.spec.automountServiceAccountToken', true, 'no token of the service'],
  ['receiver/statefulset.yaml', `${CONTAINER}.securityContext.readOnlyRootFilesystem`, undefined, 'only read'],
  ['receiver/statefulset.yaml', `${CONTAINER}.securityContext.capabilities.drop`, ['NET_RAW'], 'all capabilities'],
  ['receiver/statefulset.yaml', `${CONTAINER}.securityContext.allowPrivilegeEscalation`, true, 'no privilege'],
  ['container-source/containersource.yaml', `${CONTAINER}.resources.limits.memory`, undefined, 'limits of cpu and'],
];

t.test('what is broken is seen', async (t) => {
  for (const [path, place, value, fault] of BREAKS) {
    const found = faultsOf(changed(manifests, path, (document) => put(document, place.split('.'), value)));
    t.ok(
      found.some((one) => one.includes(fault)),
      `${join(path, place)}: ${found.join('; ') || 'nothing is said'}`,
    );
  }
});

function put(target: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) put(target[key] as Record<string, unknown>, rest, value);
  else if (value === undefined) delete target[key];
  else target[key] = value;
}
