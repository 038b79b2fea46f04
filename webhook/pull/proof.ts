import { basisOf, type Doubt } from '../outcome/certainty.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { RegistryClient } from '../registry/client.ts';
import { isNoise, isSuccess, uniqueDoubts, type Attempt } from './attempt.ts';
import type { Course } from './course.ts';
import type { Work } from './work.ts';

/**
 * Whether an attempt proves what it says. What the nodes may know and we do not keeps it from that (design, rules 1
 * and 2), for the outcome that is named and for every other end that the node would have had to come to.
 */
export async function weighProof(
  work: Work,
  { outcome, doubts: seen, others }: Attempt,
  course: Course,
  signal: AbortSignal,
): Promise<Pick<Prediction, 'outcome' | 'isConclusive' | 'doubts'>> {
  if (basisOf(outcome) === 'never') return { outcome, isConclusive: false, doubts: seen };
  const { node } = work.options;
  const ends = [outcome, ...others];
  const restsOn = (basis: string): boolean => ends.some((end) => basisOf(end) === basis);
  const doubts: Doubt[] = [...seen];
  if (!isSuccess(outcome) && others.some(isNoise)) doubts.push('not-every-endpoint');
  if (restsOn('settings') && !node.isComplete) doubts.push('node-settings');
  if (restsOn('platforms') && !work.question.platforms.isFixed) doubts.push('node-platforms');
  if (restsOn('credentials') && node.mayHaveCredentials(work.question.reference)) {
    const isShown = doubts.length === 0 && (await areAbsent(work, ends, course, signal));
    if (!isShown) doubts.push('node-credentials');
  }
  return { outcome, isConclusive: doubts.length === 0, doubts: uniqueDoubts(doubts) };
}

/**
 * On the way to a denial, one more request to each endpoint that says 404: whoever can list a repository's tags is not
 * told 404 for want of rights. A refused login stays open: the nodes may hold a better one.
 */
async function areAbsent(
  work: Work,
  ends: readonly PullOutcome[],
  course: Course,
  signal: AbortSignal,
): Promise<boolean> {
  const byEndpoint = new Map<string, Set<RegistryClient>>();
  for (const end of ends) {
    if (basisOf(end) !== 'credentials') continue;
    if (end.kind !== 'tag-not-found' && end.kind !== 'digest-not-found') return false;
    const { evidence } = end;
    const clients = work.clients().filter((client) => hasAsked(client, evidence));
    byEndpoint.set(evidence.endpoint, new Set([...(byEndpoint.get(evidence.endpoint) ?? []), ...clients]));
  }
  const inner = course.enter('nodes may hold other logins, but a 404 is proof where the same login may list the tags');
  work.follow(inner);
  for (const clients of byEndpoint.values()) {
    // the next endpoint matters only where this one is proven
    // oxlint-disable-next-line no-await-in-loop
    if (!(await canOneRead(work, [...clients], signal))) return false;
  }
  return true;
}

/** A 404 after a redirect is another host's: nobody here asked it, and nothing is proven. */
export function hasAsked({ endpoint, identity }: RegistryClient, { endpoint: origin, askedAs }: Evidence): boolean {
  if (!origin.endsWith(`://${endpoint.authority}`)) return false;
  if (identity.by === 'anonymous' || askedAs.by === 'anonymous') return identity.by === askedAs.by;
  return identity.secret === askedAs.secret && identity.key === askedAs.key;
}

async function canOneRead(work: Work, clients: readonly RegistryClient[], signal: AbortSignal): Promise<boolean> {
  for (const client of clients) {
    // the next login is for when this one may not read
    // oxlint-disable-next-line no-await-in-loop
    if (await work.tagLists.mayList(client, signal)) return true;
  }
  return false;
}
