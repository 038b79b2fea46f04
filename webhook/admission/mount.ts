import type { Doubt } from '../outcome/certainty.ts';
import type { Prediction } from '../outcome/prediction.ts';
import { listOf, textOf } from './field.ts';

/** Names of the volumes that some container of a Pod spec mounts, as far as `volumeMounts` goes. */
export function mountedVolumes(spec: unknown): ReadonlySet<string> {
  const containers = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((field) => listOf(spec, field));
  return new Set(containers.flatMap((one) => listOf(one, 'volumeMounts').map((mount) => textOf(mount, 'name'))));
}

/** An image volume that nobody mounts is pulled, but its failure stops no container: it is never proof (pull-parity B6). */
export function weighMount(prediction: Prediction, isMounted: boolean): Prediction {
  const { kind } = prediction.outcome;
  if (isMounted || kind === 'pullable' || kind === 'will-not-run') return prediction;
  const doubts = new Set<Doubt>([...prediction.doubts, 'volume-not-mounted']);
  return { ...prediction, isConclusive: false, doubts: [...doubts] };
}
