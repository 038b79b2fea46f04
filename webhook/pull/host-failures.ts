import { MANIFEST_ACCEPT } from '../image/media-type.ts';
import { manifestKey } from '../image/reference.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { Answer, RegistryClient } from '../registry/client.ts';
import { ended, joinFailures, withDoubts, type Attempt } from './attempt.ts';
import type { PullContext } from './pull-context.ts';
import { manifestRefusal } from './status.ts';
import type { RuntimeTraits } from './traits.ts';

/** How one endpoint failed to resolve the name. */
export type HostFailure = {
  readonly endpoint: Endpoint;
  readonly attempt: Attempt;
  /** Absent where it gave no answer at all, or no way to log in. */
  readonly answer: Answer | undefined;
  readonly client: RegistryClient;
  /** The runtime asks no other endpoint after this. */
  readonly isFinal: boolean;
};

/** All failures as one, named after the one that the runtime would report (pull-parity D17). */
export async function summarize(failures: readonly HostFailure[], context: PullContext): Promise<Attempt> {
  const explained: HostFailure[] = [];
  for (const failure of failures) {
    // on the way to a denial: one request after the other
    // oxlint-disable-next-line no-await-in-loop
    const attempt = await explain(failure, context);
    context.noteAnswer(failure.endpoint, context.reference, attempt.outcome);
    explained.push({ ...failure, attempt });
  }
  const chosen = choose(explained, context.traits.ranking);
  if (chosen === undefined) {
    const detail = `${context.reference.host}: no declared host may resolve this image`;
    return ended({ kind: 'not-checked', reason: 'node-settings', detail });
  }
  const attempts = explained.map((one) => one.attempt);
  if (explained.length > 1) {
    context.course.note(
      `the node reports the answer of ${chosen.client.endpoint.authority}: ${REPORTED[context.traits.ranking]}`,
    );
  }
  return joinFailures(chosen.attempt, attempts);
}

/** Which of several failures the runtime puts into its error (pull-parity D17). */
const REPORTED = Object.freeze({
  furthest: 'what is too large comes first, then any status but 404, then 404, then no answer',
  'first-but-404': 'the first that is no 404, else the first',
  last: 'the last',
} as const satisfies Record<RuntimeTraits['ranking'], string>);

function choose(failures: readonly HostFailure[], ranking: RuntimeTraits['ranking']): HostFailure | undefined {
  if (ranking === 'last') return failures.at(-1);
  const final = failures.find((failure) => failure.isFinal);
  if (final !== undefined) return final;
  if (ranking === 'first-but-404') return failures.find(({ answer }) => answer?.status !== 404) ?? failures[0];
  return failures.reduce<HostFailure | undefined>(
    (best, one) => (best === undefined || priority(one) > priority(best) ? one : best),
    undefined,
  );
}

/** containerd's `firstErrPriority`: oversize, then any status but 404, then 404, then what is no answer. */
function priority({ attempt, answer }: HostFailure): number {
  if (attempt.outcome.kind === 'unsupported-manifest') return 4;
  // a TLS server says 400 to plain HTTP
  if (attempt.outcome.kind === 'https-expected-http') return 3;
  if (answer === undefined) return 1;
  return answer.status === 404 ? 2 : 3;
}

/** HEAD has no body: where the way leads to a denial, one GET brings the registry's own reason, or contradicts it. */
async function explain({ attempt, answer, client }: HostFailure, context: PullContext): Promise<Attempt> {
  if (answer === undefined || answer.evidence.method !== 'HEAD') return attempt;
  if (answer.status !== 404 && answer.status !== 403) return attempt;
  const resource = { kind: 'manifest', key: manifestKey(context.reference), accept: MANIFEST_ACCEPT } as const;
  context.course.note("HEAD has no body: GET for the registry's reason");
  const reason = await client.ask({ method: 'GET', resource, maxBytes: 1, retriesServerErrors: false }, context.signal);
  return reason.ok ? manifestRefusal(answer, context.reference, reason.value) : withDoubts(attempt, 'answers-disagree');
}
