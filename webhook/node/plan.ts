import { assertNever } from '../image/result.ts';
import type { ImageReference } from '../image/reference.ts';
import { quote } from '../outcome/printable.ts';
import { isAtLeast, type Runtime } from '../outcome/runtime.ts';
import { dialectOf } from './containerd/hosts-dialect.ts';
import { planConfigPath } from './containerd/plan-config-path.ts';
import { planContainerd } from './containerd/plan-containerd.ts';
import { planCrio, type CrioSettings } from './crio/plan-crio.ts';
import { readRegistries } from './crio/registries.ts';
import { parseSignaturePolicy } from './crio/signature-policy-file.ts';
import { readDaemonFile, type DaemonSettings } from './docker/daemon-file.ts';
import { planDockerGraph } from './docker/plan-graph.ts';
import { planDockerStore } from './docker/plan-store.ts';
import type { Endpoint, EndpointPlan, SettingsProblem } from './endpoint.ts';
import type { FileTree } from './file-tree.ts';
import { createInsecureHosts, type InsecureHosts } from './insecure.ts';
import { checkHostsFiles } from './mistakes/hosts-files.ts';
import type { NodeSetup, PlanEndpoints } from './settings.ts';

/** How messages name the shorthand that a policy has for the nodes' files. */
const SHORTHAND = 'nodes.insecureRegistries';

/**
 * Reads what the nodes are set up with, once, and answers for each image which endpoints a runtime so set up asks.
 * `problems` are the mistakes in the files: what a runtime would ignore, or not start with. Files below a certs.d are
 * read again at each question, as the runtimes do.
 */
export function createPlanner(setup: NodeSetup): {
  readonly plan: PlanEndpoints;
  readonly problems: readonly SettingsProblem[];
} {
  const insecure = createInsecureHosts(setup.insecureRegistries);
  const daemon = readDaemonFile(setup.docker.daemonJson, setup.insecureRegistries);
  const crio = readCrio(setup);
  const crioOf = (namespace: string | undefined): CrioSettings => crio.byNamespace.get(namespace ?? '') ?? crio.usual;
  const shorthandProblems = insecure.invalid.map((entry) => ({
    file: SHORTHAND,
    line: undefined,
    reason: `expected host[:port] or CIDR, not ${quote(entry, 80)}; it is left out`,
  }));
  return {
    plan: (reference, runtime, namespace) =>
      withShorthand(planFor(reference, runtime, { setup, daemon, crio: crioOf(namespace) }), setup, insecure),
    problems: [
      ...shorthandProblems,
      ...daemon.problems,
      ...new Set([crio.usual, ...crio.byNamespace.values()].flatMap(({ problems }) => problems)),
      ...treesOf(setup).flatMap((tree) => checkHostsFiles(tree)),
    ],
  };
}

function treesOf({ certsD, configPath }: NodeSetup): readonly FileTree[] {
  if (configPath !== undefined) return configPath.trees;
  return certsD === undefined ? [] : [certsD];
}

/** `usual` is for every namespace without a policy of its own. */
function readCrio(setup: NodeSetup): {
  readonly usual: CrioSettings;
  readonly byNamespace: ReadonlyMap<string, CrioSettings>;
} {
  const { registriesConf, certsD, policyJson, namespacePolicies = new Map(), shortNameMode } = setup.crio;
  const { registries, problems } = readRegistries(registriesConf);
  const under = (policy: typeof policyJson): CrioSettings => {
    const signatures = policy === undefined ? undefined : parseSignaturePolicy(policy);
    return {
      registries: registriesConf.length === 0 ? undefined : registries,
      certsD,
      signatures: signatures?.ok === true ? signatures.value : undefined,
      shortNameMode,
      problems: signatures?.ok === false ? [...problems, signatures.error] : problems,
    };
  };
  const byNamespace = [...namespacePolicies].map(([namespace, policy]) => [namespace, under(policy)] as const);
  return { usual: under(policyJson), byNamespace: new Map(byNamespace) };
}

function planFor(
  reference: ImageReference,
  runtime: Runtime,
  nodes: { readonly setup: NodeSetup; readonly daemon: DaemonSettings; readonly crio: CrioSettings },
): EndpointPlan {
  const { setup, daemon, crio } = nodes;
  switch (runtime.family) {
    case 'containerd':
      return setup.configPath === undefined
        ? planContainerd(reference, setup.certsD, dialectOf(runtime.version))
        : planConfigPath(reference, setup.configPath, runtime);
    case 'docker':
      return planDocker(reference, runtime, { setup, daemon });
    case 'crio':
      // before 1.34 CRI-O tried every candidate (`CandidatesForPotentiallyShortImageName`)
      return planCrio(reference, isAtLeast(runtime.version, [1, 34]) ? crio : { ...crio, shortNameMode: 'disabled' });
    default:
      return assertNever(runtime);
  }
}

function planDocker(
  reference: ImageReference,
  { version, store }: Extract<Runtime, { readonly family: 'docker' }>,
  { setup, daemon }: { readonly setup: NodeSetup; readonly daemon: DaemonSettings },
): EndpointPlan {
  const { certsD } = setup.docker;
  // dockerd 29 is built with containerd 2.2
  const dialect = dialectOf(isAtLeast(version, [29, 0]) ? [2, 2] : [1, 7]);
  const plan =
    store === 'graph'
      ? planDockerGraph(reference, daemon, certsD)
      : planDockerStore(reference, daemon, certsD, dialect);
  const asked = reference.host === 'docker.io' ? daemon.mirrors.map(({ authority }) => authority) : [reference.host];
  return {
    ...plan,
    ...(asked.some((one) => daemon.withoutBuiltIn.mayInclude(one)) ? { mayBeInsecure: true } : {}),
    ...(daemon.problems.length > 0 ? { isUnusable: true } : {}),
  };
}

/** What the policy says of every runtime: hosts that need no TLS, and authorities that every host is trusted with. */
function withShorthand(plan: EndpointPlan, setup: NodeSetup, insecure: InsecureHosts): EndpointPlan {
  if (plan.kind === 'refused') return plan;
  return {
    ...plan,
    endpoints: plan.endpoints.map((one) => trusting(relaxed(one, insecure), setup.authorities)),
    ...(plan.endpoints.some((one) => insecure.mayInclude(one.authority)) ? { mayBeInsecure: true } : {}),
  };
}

function relaxed(endpoint: Endpoint, insecure: InsecureHosts): Endpoint {
  if (!insecure.includes(endpoint.authority)) return endpoint;
  return {
    ...endpoint,
    scheme: endpoint.scheme === 'https' ? 'https-then-http' : endpoint.scheme,
    tls: { ...endpoint.tls, isVerified: false },
    declaredBy: endpoint.declaredBy ?? SHORTHAND,
  };
}

function trusting(endpoint: Endpoint, authorities: readonly string[]): Endpoint {
  if (authorities.length === 0) return endpoint;
  return { ...endpoint, tls: { ...endpoint.tls, authorities: [...endpoint.tls.authorities, ...authorities] } };
}
