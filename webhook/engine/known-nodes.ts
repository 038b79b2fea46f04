import type { ImagePresence } from '../admission/ports.ts';
import { mayPullAgain } from '../admission/pull-verification.ts';
import type { Platform } from '../image/platform.ts';
import type { PlatformChoice } from '../outcome/prediction.ts';
import { imageNames } from '../policy/match.ts';
import type { NodeDeclaration } from '../policy/policy.ts';
import type { NodeStock } from './weigh-pulls.ts';

/** What the Node objects say that matters to pulls, as far as they could be read. */
export type KnownNodes = NodeStock & {
  /** The distinct platforms of schedulable Nodes; none where they are not known. */
  readonly platforms: () => readonly Platform[];
  /** The distinct `containerRuntimeVersion` of schedulable Nodes: for a policy that names no runtime. */
  readonly runtimes: () => readonly string[];
  /** Whether a schedulable Node holds an image under one of these names, as `canonicalName` writes them. */
  readonly presence: (names: readonly string[]) => 'present' | 'absent' | 'unknown';
  /** The kubelet versions of those that do. */
  readonly kubeletsWith: (names: readonly string[]) => readonly string[];
};

/** Nodes of other platforms may come: what there is now is a choice, never the whole one (design, rule 2). */
export function platformsOn(nodes: KnownNodes | undefined): PlatformChoice | undefined {
  const platforms = nodes?.platforms() ?? [];
  return platforms.length === 0 ? undefined : { platforms, isFixed: false };
}

/** Whether Nodes hold an image, and let a Pod use it by what the policy says of their kubelets (design, rule 3). */
export function presenceOn(nodes: KnownNodes, kubelet: () => NodeDeclaration['kubelet']): ImagePresence {
  return (image) => {
    const names = imageNames(image);
    const presence = nodes.presence(names);
    if (presence !== 'present') return presence;
    return mayPullAgain(image, kubelet(), nodes.kubeletsWith(names)) ? 'guarded' : 'present';
  };
}
