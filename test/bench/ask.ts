import type { PodDemand } from '../../webhook/admission/ports.ts';
import type { LiveEngine } from '../../webhook/engine/live-engine.ts';

/** A Pod without pull secrets, and without anything else that decides. */
export const POD: PodDemand = {
  namespace: 'default',
  serviceAccount: 'default',
  imagePullSecrets: [],
  platforms: undefined,
  isTemplate: false,
  deadline: undefined,
};

/** Asks for an image, which must be found whole: what is measured must be what was meant. */
export async function ask(engine: LiveEngine, image: string, pod: PodDemand = POD): Promise<void> {
  const question = { image, pullPolicy: 'Always', pod, maxPullSeconds: undefined } as const;
  const { outcome } = await engine.predict(question, AbortSignal.timeout(30_000));
  if (outcome.kind !== 'pullable' || outcome.depth !== 'graph') throw new Error(`${image}: ${JSON.stringify(outcome)}`);
}
