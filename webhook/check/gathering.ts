import type { Workload } from '../admission/images.ts';
import type { Collection } from '../kube/object-list.ts';
import { controllerOf, readLiveWorkload, type Controller } from './live-workload.ts';
import { imagesStartedBy } from './started-images.ts';

export type GatheringLimits = {
  /** Objects looked at, those too that others speak for. */
  readonly objects: number;
  readonly images: number;
  /** Of what is kept. */
  readonly characters: number;
};

/** What is kept of the objects of a cluster while they pass by, within limits. */
export type Gathering = {
  /** Looks at one object. False once a limit is reached: nothing is kept from then on. */
  readonly take: (object: unknown, collection: Collection, judged: readonly Collection[]) => boolean;
  readonly objects: () => number;
  readonly workloads: () => readonly Workload[];
  /** What Pods were started with. */
  readonly started: () => ReadonlySet<string>;
  /** The limit that was reached, `50000 images`; `undefined` while there is room. */
  readonly reached: () => string | undefined;
};

export function createGathering(limits: GatheringLimits): Gathering {
  const workloads: Workload[] = [];
  const started = new Set<string>();
  /** Questions that objects of a controller asked which is not judged itself: its Pods all ask the same. */
  const asked = new Set<string>();
  const counts = { objects: 0, images: 0, characters: 0 };
  let reached: string | undefined;

  const keep = (workload: Workload, controller: Controller | undefined): void => {
    const text = JSON.stringify(workload);
    if (controller !== undefined) {
      const { kind, namespace, uses, pod } = workload;
      const question = JSON.stringify([kind, namespace, controller, uses, pod]);
      if (asked.has(question)) return;
      asked.add(question);
    }
    counts.images += workload.uses.length;
    counts.characters += text.length;
    if (counts.images > limits.images) reached = `${limits.images} images`;
    else if (counts.characters > limits.characters) reached = `${limits.characters} characters of what names images`;
    else workloads.push(workload);
  };
  return {
    take: (object, { kind }, judged) => {
      if (reached !== undefined) return false;
      counts.objects += 1;
      if (counts.objects > limits.objects) reached = `${limits.objects} objects`;
      if (kind === 'Pod') for (const image of imagesStartedBy(object)) started.add(image);
      if (started.size > limits.images) reached = `${limits.images} images that run`;
      const isJudged = (controller: Controller): boolean =>
        judged.some((one) => one.kind === controller.kind && one.group === controller.group);
      const workload = reached === undefined ? readLiveWorkload(object, kind, isJudged) : undefined;
      if (workload !== undefined) keep(workload, controllerOf(object));
      return reached === undefined;
    },
    objects: () => counts.objects,
    workloads: () => workloads,
    started: () => started,
    reached: () => reached,
  };
}
