import { changesOf } from './changes.ts';
import type { Workload } from './images.ts';
import { questionsOf, type QuestionList } from './questions.ts';
import type { ReviewRequest } from './review.ts';

/** A request without its objects: a hundred of them may wait for registries, each with objects of megabytes. */
export type RequestHead = Omit<ReviewRequest, 'object' | 'oldObject'>;

/** What there is to find out for a request, without all the containers that its object has. */
export type Task = QuestionList & { readonly workload: Omit<Workload, 'uses'> };

export function headOf({ object: _object, oldObject: _oldObject, ...head }: ReviewRequest): RequestHead {
  return head;
}

/** `undefined` where the request leaves every pull as it is. */
export function taskOf(request: ReviewRequest): Task | undefined {
  const changes = changesOf(request);
  if (changes === undefined) return undefined;
  const { uses: _uses, ...workload } = changes.workload;
  return { workload, ...questionsOf(changes) };
}
