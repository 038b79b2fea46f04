import { inspectSecrets, nearMisses, oddLogins } from '../credentials/inspect.ts';
import type { ImageReference } from '../image/reference.ts';
import { basisOf, isRefusedBySettings, type Doubt } from '../outcome/certainty.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { PodCredentials } from './pod-credentials.ts';

export type PodFacts = {
  readonly reference: ImageReference;
  readonly credentials: PodCredentials;
  readonly isTemplate: boolean;
};

/**
 * What only this Pod brings in, after an answer that others may share: findings about its secrets, and doubts where
 * those may be incomplete (design, rule 4).
 */
export function withPodsView(prediction: Prediction, { reference, credentials, isTemplate }: PodFacts): Prediction {
  const { outcome } = prediction;
  const doubts = new Set<Doubt>(prediction.doubts);
  if (restsOnLogin(outcome) && credentials.isUnread) doubts.add('secret-unread');
  if (restsOnLogin(outcome) && credentials.isMissingSome && isTemplate) doubts.add('secret-may-follow');
  return {
    ...prediction,
    findings: [
      ...credentials.findings,
      ...inspectSecrets(credentials.secrets, reference),
      ...(outcome.kind === 'access-denied' && !isRefusedBySettings(outcome)
        ? [...oddLogins(credentials.secrets, reference), ...nearMisses(credentials.secrets, reference)]
        : []),
      ...prediction.findings,
    ],
    doubts: [...doubts],
    isConclusive: prediction.isConclusive && doubts.size === 0,
  };
}

/** With another login it might have ended otherwise: refusals, absence that may be a refusal, a blob that is not shown. */
function restsOnLogin(outcome: PullOutcome): boolean {
  return basisOf(outcome) === 'credentials' || outcome.kind === 'damaged';
}
