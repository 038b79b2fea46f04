import type { Prediction } from '../outcome/prediction.ts';
import type { ImageVerdict } from '../policy/decide.ts';
import type { ImageFacts } from './facts.ts';
import type { Question } from './questions.ts';

/** One question with its answer and what the policy makes of it. */
export type Judged = {
  readonly question: Question;
  readonly prediction: Prediction;
  readonly verdict: ImageVerdict;
};

export function factsOf({ question, prediction, verdict }: Judged): ImageFacts {
  const { action, intended } = verdict;
  const { outcome, isConclusive } = prediction;
  return { image: question.image, outcome: outcome.kind, isConclusive, action, intended };
}

/** An image that the policy exempts, or that another webhook will replace. */
export function factsOfExempt({ image }: Question): ImageFacts {
  return { image, outcome: 'not-checked', isConclusive: false, action: 'allow', intended: 'allow' };
}
