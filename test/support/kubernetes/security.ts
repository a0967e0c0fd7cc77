import type { Image } from './image.ts';
import type { Workload } from './workloads.ts';

/** Where a pod has more rights than it needs, or takes more than it may. */
export function securityFaults(workload: Workload, image: Image): readonly string[] {
  const { file, pod } = workload;
  const found: string[] = [];
  const want = (isSo: boolean, what: string) => {
    if (!isSo) found.push(`${file}: wanted ${what}`);
  };
  const all = pod.securityContext;
  want(pod.automountServiceAccountToken === false, 'no token of the service account');
  want(pod.enableServiceLinks === false, 'no variables of services');
  want(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, 'nothing of the host');
  want(!pod.volumes?.some(({ hostPath }) => hostPath), 'no folder of the host');
  want(all?.runAsNonRoot === true && all.runAsUser === image.user, `user ${image.user} instead of root`);
  want(all?.runAsGroup === image.user && all.fsGroup === image.user, `group ${image.user}, also of volumes`);
  want(all?.seccompProfile?.type === 'RuntimeDefault', 'the system calls of RuntimeDefault');
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
    const own = container.securityContext;
    want(own?.allowPrivilegeEscalation === false && !own.privileged, 'no privilege escalation');
    want(own?.readOnlyRootFilesystem === true, 'a root file system that is only read');
    want(own?.capabilities?.drop?.join() === 'ALL' && !own.capabilities.add, 'all capabilities dropped');
    want(own?.runAsUser === undefined && own?.runAsNonRoot !== false && !own?.seccompProfile, "the pod's user");
    for (const kind of ['requests', 'limits'] as const) {
      const { cpu, memory } = container.resources?.[kind] ?? {};
      want(cpu !== undefined && memory !== undefined, `${kind} of cpu and memory`);
    }
  }
  return found;
}
