import { err, ok, type Result } from '../image/result.ts';
import { createPlanner } from '../node/plan.ts';
import type { NodeDeclaration } from '../policy/policy.ts';
import { chooseSetup, type CheckSetup } from './check-setup.ts';
import { givenPolicy } from './given-policy.ts';
import type { LiveCluster } from './live.ts';
import type { NodeChoices } from './node-flags.ts';

/** By what is judged, and what the user should know of it before he reads a verdict. */
export type Preparation = CheckSetup & {
  readonly notices: readonly string[];
  /** The runtimes pass over a settings file that they cannot read, so verdicts stand; each is a mistake all the same. */
  readonly mistakes: readonly string[];
};

/** Joins flags, policy and the cluster's Nodes. `assumed` is what the command takes nodes for where nobody says. */
export async function prepare(
  choices: NodeChoices,
  live: LiveCluster | undefined,
  assumed: Partial<NodeDeclaration>,
): Promise<Result<Preparation, readonly string[]>> {
  const given = await givenPolicy(choices, live);
  const chosen = chooseSetup(choices, given, { assumed, reported: live?.nodes.runtimes() ?? [] });
  if (!chosen.ok) return err(chosen.error);
  return ok({
    ...chosen.value,
    notices: [
      ...(live === undefined || choices.policy !== undefined ? [] : live.policyNotices),
      ...(live?.nodesNotices ?? []),
      ...(given?.missing ?? []).map((what) => `not at hand: ${what}; what hangs on the nodes' files is no proof then`),
    ],
    mistakes: createPlanner(chosen.value.setup).problems.map(
      ({ file, line, reason }) => `${file}${line === undefined ? '' : `:${line}`}: ${reason}`,
    ),
  });
}
