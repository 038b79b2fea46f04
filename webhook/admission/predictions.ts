import type { Prediction } from '../outcome/prediction.ts';
import type { Limits } from '../policy/policy.ts';
import { askAll } from './ask.ts';
import type { Deadline } from './deadline.ts';
import type { Workload } from './images.ts';
import { weighMount } from './mount.ts';
import type { ImagePresence, PredictImage, WeighPulls } from './ports.ts';
import { asksNodesAlone, predictNever, weighPresence } from './presence.ts';
import type { Question } from './questions.ts';

export type Predicting = {
  readonly workload: Pick<Workload, 'pod' | 'hasControllingOwner'>;
  readonly predict: PredictImage;
  readonly weigh: WeighPulls;
  readonly presence: ImagePresence;
  readonly limits: Limits;
  readonly maxPullSecondsOf: (image: string) => number | undefined;
  readonly deadline: Deadline;
  readonly onError: (error: unknown) => void;
};

export type Predicted = { readonly question: Question; readonly prediction: Prediction };

/** One prediction for each question, in their order, without those of which there is nothing to say. */
export async function predictAll(questions: readonly Question[], context: Predicting): Promise<readonly Predicted[]> {
  const { workload, presence, maxPullSecondsOf } = context;
  const asked = questions.filter((question) => !asksNodesAlone(question));
  const predicted = await askAll(asked, { ...context, pod: workload.pod });
  const pulls = predicted.flatMap((prediction, at) => {
    const question = asked[at];
    if (question === undefined) return [];
    const { image, pullPolicy, use } = question;
    return [{ image, pullPolicy, path: use.path, maxPullSeconds: maxPullSecondsOf(image), prediction }];
  });
  const answers = context.weigh(pulls, workload.pod);
  const answerOf = new Map(asked.map((question, at) => [question, answers[at]]));
  return questions.flatMap((question) => {
    const answer = answerOf.get(question);
    const standing = { ...question, hasControllingOwner: workload.hasControllingOwner };
    const prediction = answer ? weighPresence(answer, standing, presence) : predictNever(question.image, presence);
    return prediction === undefined ? [] : [{ question, prediction: weighMount(prediction, question.isMounted) }];
  });
}
