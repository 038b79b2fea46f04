import type { ImageReference } from '../../image/reference.ts';
import type { Runtime } from '../../outcome/runtime.ts';
import type { EndpointPlan } from '../endpoint.ts';
import type { ConfigPath } from '../settings.ts';
import { findHostDirectory } from './host-directory.ts';
import { dialectOf } from './hosts-dialect.ts';
import { planContainerd } from './plan-containerd.ts';

/**
 * The endpoints where config_path is a list, as it is by default since containerd 2.2 (pull-parity E1). The client's
 * own pull takes the first folder that has one for the host. The transfer service takes the whole list for one folder,
 * which does not exist: what the folders say of the host is lost, and whoever wrote it there is told so.
 */
export function planConfigPath(
  reference: ImageReference,
  { text, trees }: ConfigPath,
  runtime: Extract<Runtime, { readonly family: 'containerd' }>,
): EndpointPlan {
  const dialect = dialectOf(runtime.version);
  const tree = trees.find((one) => findHostDirectory(one, reference.host) !== undefined);
  if (runtime.path === 'local' || tree === undefined) return planContainerd(reference, tree, dialect);
  const plan = planContainerd(reference, undefined, dialect);
  const reason = `containerd's transfer service takes the list for one folder: ${tree.name} is ignored; set config_path to one folder`;
  return { ...plan, problems: [...plan.problems, { file: `config_path ${text}`, line: undefined, reason }] };
}
