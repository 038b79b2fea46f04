import { matchesImagePattern } from '../credentials/match.ts';
import { parsePlatform } from '../image/platform.ts';
import type { ImageReference } from '../image/reference.ts';
import { memoryTree } from '../node/file-tree.ts';
import { createPlanner } from '../node/plan.ts';
import { EMPTY_SETUP, type ConfigPath, type NodeSetup } from '../node/settings.ts';
import type { SettingsProblem } from '../node/endpoint.ts';
import type { PlatformChoice } from '../outcome/prediction.ts';
import { parseRuntime, type Runtime } from '../outcome/runtime.ts';
import type { NodeDeclaration } from '../policy/policy.ts';
import type { NodeKnowledge } from '../pull/predict.ts';

/** Files that a declaration names and that lie elsewhere: a ConfigMap's certs.d, client certificates from Secrets. */
export type DeclaredFiles = Readonly<Record<string, string>>;

/** Where runtimes look for trees that were declared as text. */
const CONTAINERD_CERTS_D = '/etc/containerd/certs.d';
const DOCKER_CERTS_D = '/etc/docker/certs.d';
const REGISTRIES_CONF = '/etc/containers/registries.conf';
const CRIO_POLICIES = '/etc/crio/policies';
const CRIO_CERTS_D = '/etc/containers/certs.d';

/** A policy's declaration of the nodes as the settings files that it stands for. */
export function setupOf(nodes: NodeDeclaration, files: DeclaredFiles): NodeSetup {
  const { configPath } = nodes.containerd;
  const certsD = { ...nodes.containerd.certsD, ...files };
  const dropIns = Object.entries(nodes.crio.registriesConfD).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...EMPTY_SETUP,
    certsD: Object.keys(certsD).length === 0 ? undefined : memoryTree(configPath ?? CONTAINERD_CERTS_D, certsD),
    ...(configPath?.includes(':') === true
      ? { configPath: configPathOf(configPath, certsD, nodes.docker.certsD) }
      : {}),
    docker: {
      daemonJson:
        nodes.docker.daemonJson === undefined
          ? undefined
          : { name: '/etc/docker/daemon.json', text: nodes.docker.daemonJson },
      certsD:
        Object.keys(nodes.docker.certsD).length === 0 ? undefined : memoryTree(DOCKER_CERTS_D, nodes.docker.certsD),
    },
    crio: {
      registriesConf: [
        ...(nodes.crio.registriesConf === undefined
          ? []
          : [{ name: REGISTRIES_CONF, text: nodes.crio.registriesConf }]),
        ...dropIns.map(([name, text]) => ({ name: `${REGISTRIES_CONF}.d/${name}`, text })),
      ],
      certsD: Object.keys(nodes.crio.certsD).length === 0 ? [] : [memoryTree(CRIO_CERTS_D, nodes.crio.certsD)],
      policyJson:
        nodes.crio.policyJson === undefined
          ? undefined
          : { name: '/etc/containers/policy.json', text: nodes.crio.policyJson },
      namespacePolicies: new Map(
        Object.entries(nodes.crio.namespacePolicies).map(([namespace, text]) => [
          namespace,
          { name: `${CRIO_POLICIES}/${namespace}.json`, text },
        ]),
      ),
      ...(nodes.crio.shortNameMode === undefined ? {} : { shortNameMode: nodes.crio.shortNameMode }),
    },
    insecureRegistries: nodes.insecureRegistries,
    authorities: nodes.certificateAuthorities,
  };
}

/** The files declared for containerd are those of the first folder, dockerd's those of its own where the list has it. */
function configPathOf(text: string, certsD: DeclaredFiles, dockerCertsD: DeclaredFiles): ConfigPath {
  const trees = text
    .split(':')
    .filter((path) => path !== '')
    .map((path, at) => memoryTree(path, at === 0 ? certsD : path === DOCKER_CERTS_D ? dockerCertsD : {}));
  return { text, trees };
}

/** What a prediction must know of the nodes, and the mistakes in their files. */
export function knowledgeOf(
  nodes: NodeDeclaration,
  setup: NodeSetup,
): { readonly knowledge: NodeKnowledge; readonly problems: readonly SettingsProblem[] } {
  const planner = createPlanner(setup);
  return {
    problems: planner.problems,
    knowledge: {
      runtimes: runtimesOf(nodes),
      plan: planner.plan,
      isComplete: nodes.settings === 'complete',
      mayHaveCredentials: providersOf(nodes.credentialProviders),
    },
  };
}

/** The schema checked each text; what it would not read is passed over here. */
function runtimesOf(nodes: NodeDeclaration): readonly Runtime[] {
  return nodes.runtimes.flatMap((text) => {
    const parsed = parseRuntime(text);
    return parsed.ok ? parsed.value : [];
  });
}

function providersOf(declared: NodeDeclaration['credentialProviders']): (reference: ImageReference) => boolean {
  if (declared === 'possible') return () => true;
  if (declared === 'none') return () => false;
  return (reference) => declared.some((pattern) => matchesImagePattern(pattern, reference));
}

/** The platforms that a policy lists; `undefined` where it lists none. */
export function platformsOf(nodes: NodeDeclaration): PlatformChoice | undefined {
  const platforms = nodes.platforms.list.flatMap((text) => {
    const parsed = parsePlatform(text);
    return parsed.ok ? [parsed.value] : [];
  });
  return platforms.length === 0 ? undefined : { platforms, isFixed: nodes.platforms.isExhaustive };
}
