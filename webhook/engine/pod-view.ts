import { nearMisses, inspectSecrets } from '../credentials/inspect.ts';
import type { ImageReference } from '../image/reference.ts';
import { CERTAINTY_BASIS, type Doubt } from '../outcome/certainty.ts';
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
  if (restsOnLogin(outcome.kind) && credentials.isUnread) doubts.add('secret-unread');
  if (restsOnLogin(outcome.kind) && credentials.isMissingSome && isTemplate) doubts.add('secret-may-follow');
  return {
    ...prediction,
    findings: [
      ...credentials.findings,
      ...inspectSecrets(credentials.secrets, reference),
      ...(outcome.kind === 'access-denied' ? nearMisses(credentials.secrets, reference) : []),
      ...prediction.findings,
    ],
    doubts: [...doubts],
    isConclusive: prediction.isConclusive && doubts.size === 0,
  };
}

/** With another login it might have ended otherwise: refusals, absence that may be a refusal, a blob that is not shown. */
function restsOnLogin(kind: Prediction['outcome']['kind']): boolean {
  return CERTAINTY_BASIS[kind] === 'credentials' || kind === 'damaged';
}
