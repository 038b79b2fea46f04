import { withReportedRuntimes } from '../engine/node-runtimes.ts';
import { setupOf } from '../engine/node-setup.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { NodeSetup } from '../node/settings.ts';
import { parseRuntime, type RuntimeFamily } from '../outcome/runtime.ts';
import { DEFAULT_POLICY } from '../policy/load.ts';
import type { NodeDeclaration, Policy } from '../policy/policy.ts';
import type { GivenPolicy } from './given-policy.ts';
import type { NodeChoices } from './node-flags.ts';
import { registriesFiles, withConfigPath } from './settings-files.ts';

export type CheckSetup = { readonly policy: Policy; readonly setup: NodeSetup };

/** What `check` assumes where neither a flag nor a policy says (design, part 6). */
export const CHECK_DEFAULTS = Object.freeze({
  runtimes: ['containerd@2.1/transfer'],
  /** In CI the files given are the files of the nodes. */
  settings: 'complete',
  /** In CI a failed login is a failure. */
  credentialProviders: 'none',
} as const satisfies Partial<NodeDeclaration>);

/** What is known of nodes besides flags and policy. */
export type NodeHearsay = {
  /** What the command takes for granted where there is no policy. */
  readonly assumed: Partial<NodeDeclaration>;
  /** What Nodes report as `containerRuntimeVersion`; none where no Node could be read. */
  readonly reported: readonly string[];
};

/**
 * The policy and the node settings that a check works with: `given`, which is the policy file's or the cluster's, and
 * over it what the flags say. Where neither says which runtime it is, the Nodes do, as for `serve`. The error names
 * flags that no runtime in question reads.
 */
export function chooseSetup(
  choices: NodeChoices,
  given: GivenPolicy | undefined,
  { assumed, reported }: NodeHearsay,
): Result<CheckSetup, readonly string[]> {
  const base = given?.policy ?? DEFAULT_POLICY;
  const declared = given?.policy.nodes ?? { ...base.nodes, ...assumed, ...(reported.length > 0 ? OPEN : {}) };
  const { runtimes } = withReportedRuntimes({ ...base, nodes: declared }, reported).nodes;
  const isWhole = given === undefined || given.missing.length === 0 || choices.certsD !== undefined;
  const nodes: NodeDeclaration = {
    ...declared,
    runtimes: choices.runtime === undefined ? runtimes : [choices.runtime],
    settings: choices.settings ?? (isWhole ? declared.settings : 'partial'),
    platforms: choices.platforms ?? declared.platforms,
    credentialProviders: choices.credentialProviders ?? declared.credentialProviders,
  };
  const unread = unreadFlags(
    choices,
    nodes.runtimes,
    runtimes === declared.runtimes ? '' : ', which the Nodes report,',
  );
  if (unread.length > 0) return err(unread);
  const hints = { similarTags: base.hints.similarTags || choices.similarTags };
  return ok({ policy: { ...base, nodes, hints }, setup: withFiles(setupOf(nodes, given?.files ?? {}), choices) });
}

/** What Nodes report takes the place of an assumption, also where it is not understood: then any runtime is possible. */
const OPEN = Object.freeze({ runtimes: DEFAULT_POLICY.nodes.runtimes });

function withFiles(declared: NodeSetup, choices: NodeChoices): NodeSetup {
  const setup = withConfigPath(declared, choices.certsD);
  const { docker, crio } = setup;
  return {
    ...setup,
    docker: {
      daemonJson: choices.dockerDaemon ?? docker.daemonJson,
      certsD: choices.dockerCertsD ?? docker.certsD,
    },
    crio: {
      ...crio,
      registriesConf: registriesFiles(crio.registriesConf, {
        main: choices.registriesConf,
        dropIns: choices.registriesConfD,
      }),
      certsD: choices.dockerCertsD === undefined ? crio.certsD : [choices.dockerCertsD],
      policyJson: choices.signaturePolicy ?? crio.policyJson,
    },
  };
}

/** A file for dockerd says nothing about containerd, and whoever gives it means dockerd. */
function unreadFlags(choices: NodeChoices, runtimes: readonly string[], source: string): readonly string[] {
  const families = new Set(runtimes.flatMap((text) => familiesOf(text)));
  const readBy = [
    ['--certs-d', choices.certsD, ['containerd']],
    ['--docker-daemon', choices.dockerDaemon, ['docker']],
    ['--docker-certs-d', choices.dockerCertsD, ['docker', 'crio']],
    ['--registries-conf', choices.registriesConf, ['crio']],
    ['--registries-conf-d', choices.registriesConfD, ['crio']],
    ['--signature-policy', choices.signaturePolicy, ['crio']],
  ] as const;
  return readBy.flatMap(([flag, value, readers]) =>
    value === undefined || readers.some((family) => families.has(family))
      ? []
      : [
          `${flag}: ${[...families].join(' and ')}${source} does not read it; add --runtime ${readers.join(' or --runtime ')}`,
        ],
  );
}

function familiesOf(text: string): readonly RuntimeFamily[] {
  const runtime = parseRuntime(text);
  return runtime.ok ? runtime.value.map(({ family }) => family) : [];
}
