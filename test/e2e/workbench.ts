import type { Cause } from './causes.ts';
import type { Cluster, Ran } from './cluster.ts';
import { eventually } from './eventually.ts';
import { deploymentOf, podOf, WORKLOADS, type Workload } from './workload.ts';

/** What people do with kubectl, and what they see. */
export interface Workbench {
  apply(workload: Workload): Promise<Ran>;
  /** The same without leaving anything behind. */
  tryOut(workload: Workload): Promise<Ran>;
  /** Asks for the {@link MISNAMED} image, whose verdict rests on no registry, and leaves nothing behind. */
  ask(): Promise<Ran>;
  /** Asks again until the answer is this one, and hands back all answers before it. */
  untilAnswer(wanted: Ran): Promise<readonly Ran[]>;
  /** What a Deployment's container waits for, once the node has tried to pull. */
  untilPullFails(name: string): Promise<{ readonly reason: string; readonly message: string }>;
  /** `kubectl rollout status`, which ends when the Deployment has succeeded or was given up. */
  rollOut(name: string, namespace?: string): Promise<Ran>;
}

/** Refused without asking a registry, by every policy that enforces. */
export const MISNAMED: Cause = {
  workload: { name: 'misnamed', image: 'registry.e2e.test/Team/App:1' },
  cause: 'the image name is not valid: invalid reference format: repository name (Team/App) must be lowercase',
  evidence: 'the kubelet answers InvalidImageName without asking a registry',
  remedy: 'Write HOST[:PORT]/PATH[:TAG][@sha256:DIGEST], the path in lower case and without https://',
};

export function createWorkbench(cluster: Cluster): Workbench {
  const stdin = ['--filename', '-'];
  const ask: Workbench['ask'] = () =>
    cluster.kubectl(['create', '--dry-run=server', ...stdin], [podOf(MISNAMED.workload)]);
  return {
    apply: (workload) => cluster.kubectl(['apply', ...stdin], [deploymentOf(workload)]),
    tryOut: (workload) => cluster.kubectl(['create', '--dry-run=server', ...stdin], [deploymentOf(workload)]),
    ask,
    untilAnswer: async (wanted) => {
      const before: Ran[] = [];
      await eventually(`the answer ${JSON.stringify(wanted)}`, async () => {
        const answer = await ask();
        if (JSON.stringify(answer) === JSON.stringify(wanted)) return true;
        before.push(answer);
        return undefined;
      });
      return before;
    },
    untilPullFails: (name) =>
      eventually(`the node fails to pull for ${name}`, async () => {
        const select = ['--namespace', WORKLOADS, 'get', 'pods', '--selector', `app=${name}`];
        const path = 'jsonpath={.items[0].status.containerStatuses[0].state.waiting}';
        const text = await cluster.ask([...select, '--output', path]);
        const waiting = JSON.parse(text === '' ? '{}' : text) as {
          readonly reason?: string;
          readonly message?: string;
        };
        const { reason = '', message = '' } = waiting;
        return message === '' ? undefined : { reason, message };
      }),
    rollOut: (name, namespace = WORKLOADS) =>
      cluster.kubectl(['--namespace', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=5m']),
  };
}
