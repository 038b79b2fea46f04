import type { PullOutcome } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { Course } from './course.ts';
import { hasAsked } from './proof.ts';
import { similarTags } from './similar-tags.ts';
import type { Work } from './work.ts';

/** For how long into a prediction its tags may still be listed. Milliseconds since its start. */
export type TagHint = { readonly untilMs: number };

/**
 * Names tags that are like the one that does not exist, where listing them was asked for. It asks the endpoint that
 * said 404, as the identity that it said it to, within what is left of budget and time; whatever comes of it, the
 * outcome and its proof stay what they are.
 */
export async function withSimilarTags(
  work: Work,
  { outcome, doubts }: Pick<Prediction, 'outcome' | 'doubts'>,
  { course, startedMs }: { readonly course: Course; readonly startedMs: number },
  signal: AbortSignal,
): Promise<PullOutcome> {
  const { tagHint, budget, now } = work.options;
  if (tagHint === undefined || outcome.kind !== 'tag-not-found') return outcome;
  // whoever answered is no registry
  if (doubts.includes('not-a-registry-answer')) return outcome;
  const client = work.clients().find((one) => hasAsked(one, outcome.evidence));
  if (client === undefined) return outcome;
  const inner = course.enter('which tags are like it?');
  work.follow(inner);
  const leftMs = tagHint.untilMs - (now() - startedMs);
  if (leftMs <= 0 || signal.aborted || !budget.mayLookInside(client.endpoint.authority)) {
    inner.note('not asked: no time or no request is left for a hint');
    return outcome;
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs))]);
  const tags = await work.tagLists.tagsNear(outcome.tag, client, limit);
  const similar = similarTags(outcome.tag, tags);
  inner.note(`${tags.length} tags listed, like it: ${similar.length === 0 ? 'none' : similar.join(', ')}`);
  return { ...outcome, similarTags: similar };
}
