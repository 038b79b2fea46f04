import { parseReference } from '../image/reference.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { Limits } from '../policy/policy.ts';
import { askAll } from './ask.ts';
import type { Deadline } from './deadline.ts';
import type { Workload } from './images.ts';
import type { ImagePresence, PredictImage } from './ports.ts';
import { predictNever, weighPresence } from './presence.ts';
import type { Question } from './questions.ts';

export type Predicting = {
  readonly workload: Workload;
  readonly predict: PredictImage;
  readonly presence: ImagePresence;
  readonly limits: Limits;
  readonly maxPullSecondsOf: (image: string) => number | undefined;
  readonly deadline: Deadline;
  readonly onError: (error: unknown) => void;
};

export type Predicted = { readonly question: Question; readonly prediction: Prediction };

/** One prediction for each question, in their order, without those of which there is nothing to say. */
export async function predictAll(questions: readonly Question[], context: Predicting): Promise<readonly Predicted[]> {
  const { workload, presence } = context;
  const asked = questions.filter((question) => !isNever(question));
  const answers = await askAll(asked, { ...context, pod: workload.pod });
  const answerOf = new Map(asked.map((question, at) => [question, answers[at]]));
  return questions.flatMap((question) => {
    const answer = answerOf.get(question);
    const standing = { ...question, hasControllingOwner: workload.hasControllingOwner };
    const prediction = answer ? weighPresence(answer, standing, presence) : predictNever(question.image, presence);
    return prediction === undefined ? [] : [{ question, prediction }];
  });
}

/** The kubelet looks at the name before it looks at the policy: what is no image name fails with `Never` too. */
function isNever({ pullPolicy, image }: Question): boolean {
  return pullPolicy === 'Never' && parseReference(image).ok;
}
