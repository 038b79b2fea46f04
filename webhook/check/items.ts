import type { Workload } from '../admission/images.ts';
import type { ImageUse, PodDemand } from '../admission/ports.ts';
import type { ManifestObject } from '../manifests/documents.ts';
import type { Manifests } from '../manifests/manifests.ts';
import type { Subject } from '../policy/decide.ts';

/** One image to judge, with the object that it stands in: itself, where it was named on the command line. */
export type Item = {
  readonly object: string;
  readonly use: ImageUse;
  readonly pod: PodDemand;
  readonly kind: string;
  readonly hasControllingOwner: boolean;
  readonly file: string | undefined;
  readonly line: number | undefined;
};

/** What there is to judge, and whose the images of the command line are. */
export type Asked = {
  readonly manifests: Manifests;
  readonly images: readonly string[];
  readonly namespace: string;
  readonly serviceAccount: string;
};

/** Every image of an object; `source` is the file that it stands in, where it comes from one. */
export function itemsIn(workload: Workload, source?: ManifestObject): readonly Item[] {
  return workload.uses.map((use) => ({
    object: `${workload.kind}/${workload.namespace}/${workload.name}`,
    use,
    pod: workload.pod,
    kind: workload.kind,
    hasControllingOwner: workload.hasControllingOwner,
    file: source?.file,
    line: source?.lineOf(use.path),
  }));
}

/** Every image of the manifests and then of the command line, in their order. */
export function itemsOf({ manifests, images, namespace, serviceAccount }: Asked): readonly Item[] {
  const fromManifests = manifests.workloads.flatMap(({ workload, source }) => itemsIn(workload, source));
  const bare = images.map((image) => ({
    object: image,
    use: { path: '', where: '', image, pullPolicy: 'Always' as const },
    pod: {
      namespace,
      serviceAccount,
      imagePullSecrets: [],
      platforms: undefined,
      isTemplate: false,
      deadline: undefined,
    },
    kind: 'Pod',
    hasControllingOwner: false,
    file: undefined,
    line: undefined,
  }));
  return [...fromManifests, ...bare];
}

/** What the policy is asked about an image. */
export const subjectOf = (item: Item): Subject => ({
  namespace: item.pod.namespace,
  kind: item.kind,
  image: item.use.image,
  hasControllingOwner: item.hasControllingOwner,
});
