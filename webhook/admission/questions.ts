import type { Changes } from './changes.ts';
import type { ImageUse, PullPolicy } from './ports.ts';

/** One image under one pull policy, asked once however many containers use it. */
export type Question = {
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  readonly isNew: boolean;
  /** The first container that uses it, by which texts name it. */
  readonly use: ImageUse;
  /** How many more use it. */
  readonly others: number;
  /** Some container needs it: it is not for image volumes alone that nobody mounts. */
  readonly isMounted: boolean;
};

export type QuestionList = {
  readonly questions: readonly Question[];
  /** Distinct images beyond {@link MAX_QUESTIONS}: counted, not looked at. */
  readonly beyond: number;
};

/** Far above any real Pod; what a 3 MiB object could list beyond it would only cost the event loop its time. */
export const MAX_QUESTIONS = 1024;

/** The distinct questions of a request, in the order of its containers. */
export function questionsOf(changes: Changes): QuestionList {
  const uses = Map.groupBy(changes.workload.uses, ({ pullPolicy, image }) => `${pullPolicy} ${image}`);
  const questions: Question[] = [];
  for (const same of uses.values()) {
    if (questions.length === MAX_QUESTIONS) break;
    const [use, ...more] = same;
    if (use === undefined) continue;
    const { image, pullPolicy } = use;
    const isMounted = same.some(({ isUnmounted }) => isUnmounted !== true);
    questions.push({ image, pullPolicy, isNew: changes.isNew(image), use, others: more.length, isMounted });
  }
  return { questions, beyond: uses.size - questions.length };
}
