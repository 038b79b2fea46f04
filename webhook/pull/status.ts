import type { ImageReference } from '../image/reference.ts';
import type { Doubt } from '../outcome/certainty.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import { retryAfterOf, type Answer } from '../registry/client.ts';
import { ended, type Attempt } from './attempt.ts';

/**
 * What a status that is no success means for a manifest asked by `reference` (pull-parity D7). `reason` is the same
 * question asked by GET, for what HEAD has no body to say; absent where nobody asked.
 */
export function manifestRefusal(answer: Answer, reference: ImageReference, reason: Answer | undefined): Attempt {
  const { evidence } = reason ?? answer;
  const asked = { ...evidence, method: answer.evidence.method, status: answer.status };
  const seen = { ...answer, evidence: asked };
  const outcome = answer.status === 404 ? absent(reference, seen) : refusal(seen);
  return ended(outcome, refusalDoubts(answer, reason));
}

function absent(reference: ImageReference, answer: Answer): PullOutcome {
  const { evidence } = answer;
  if (evidence.code === 'NAME_UNKNOWN') {
    return { kind: 'repository-not-found', repository: `${reference.host}/${reference.path}`, evidence };
  }
  if (reference.digest !== undefined) return { kind: 'digest-not-found', digest: reference.digest, evidence };
  return { kind: 'tag-not-found', tag: reference.tag ?? 'latest', similarTags: [], evidence };
}

/**
 * A 401 needs no body to be believed. What the very next GET contradicts may be of the moment, and a HEAD alone says
 * nothing of who answered.
 */
function refusalDoubts(answer: Answer, reason: Answer | undefined): readonly Doubt[] {
  if (isLoginElsewhere(answer)) return ['redirect-login'];
  if (reason === undefined) return [];
  if (reason.status !== answer.status) return ['answers-disagree'];
  return answer.status === 404 || answer.status === 403 ? strangerDoubts(reason) : [];
}

/** Runtimes log in to whom they are sent to as well, which no login of ours does (pull-parity D15, design, rule 6). */
export const isLoginElsewhere = ({ status, isElsewhere }: Answer): boolean => status === 401 && isElsewhere;

/** 403 and 404 without the specification's error body may be a proxy's, which the nodes need not pass. */
export function strangerDoubts(answer: Answer): readonly Doubt[] {
  return answer.error.isRegistryError ? [] : ['not-a-registry-answer'];
}

/** Any other refusal: of the login, of the moment, of the registry itself. */
export function refusal(answer: Answer): PullOutcome {
  const { evidence, status } = answer;
  if (status === 401 || status === 403) {
    const by = answer.isElsewhere ? 'redirect-target' : 'registry';
    if (evidence.askedAs.by === 'anonymous') return { kind: 'access-denied', reason: 'no-credentials', by, evidence };
    if (!answer.isLoggedIn) {
      const unasked: Evidence = { ...evidence, askedAs: { by: 'anonymous' } };
      return { kind: 'access-denied', reason: 'login-unasked', by, evidence: unasked };
    }
    return { kind: 'access-denied', reason: status === 403 ? 'insufficient-scope' : 'rejected', by, evidence };
  }
  if (status === 429) return { kind: 'rate-limited', retryAfterSeconds: retryAfterOf(answer, Date.now()), evidence };
  return { kind: 'registry-error', reason: undefined, evidence };
}
