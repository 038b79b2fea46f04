import { parseRuntime } from '../outcome/runtime.ts';
import { DEFAULT_POLICY } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';

const SHAPE = /^(?<family>containerd|docker|cri-o):\/\/v?(?<major>\d{1,3})\.(?<minor>\d{1,3})(?![0-9])/u;
const FAMILY: Readonly<Record<string, string>> = Object.freeze({
  containerd: 'containerd',
  docker: 'docker',
  'cri-o': 'crio',
});

/**
 * The runtimes that Nodes report as `containerRuntimeVersion`, `containerd://2.1.9`, in the policy's words; `undefined`
 * where there is none, or where one is not understood: then anything is possible.
 */
export function runtimesReported(reported: readonly string[]): readonly string[] | undefined {
  const runtimes = reported.map((text) => {
    const groups = SHAPE.exec(text)?.groups;
    const runtime = `${FAMILY[groups?.['family'] ?? '']}@${groups?.['major']}.${groups?.['minor']}`;
    return parseRuntime(runtime).ok ? runtime : undefined;
  });
  const known = runtimes.filter((runtime) => runtime !== undefined);
  return known.length === 0 || known.length < runtimes.length ? undefined : [...new Set(known)].toSorted();
}

/** Where the policy leaves the runtimes open, those that the Nodes report take the place of all that are in use. */
export function withReportedRuntimes(policy: Policy, reported: readonly string[]): Policy {
  const isOpen = policy.nodes.runtimes.join() === DEFAULT_POLICY.nodes.runtimes.join();
  const runtimes = isOpen ? runtimesReported(reported) : undefined;
  return runtimes === undefined ? policy : { ...policy, nodes: { ...policy.nodes, runtimes } };
}
