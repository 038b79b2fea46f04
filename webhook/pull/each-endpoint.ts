import { err, type Result } from '../image/result.ts';
import type { RegistryClient } from '../registry/client.ts';
import { ended, joinFailures, type Attempt } from './attempt.ts';
import type { Wanted } from './endpoint-answers.ts';
import type { PullContext } from './pull-context.ts';

/** One endpoint did not give the content. `isFinal`: it gave something else, and the runtime asks nobody after it. */
export type Miss = { readonly attempt: Attempt; readonly isFinal: boolean };

/** Asks one endpoint. `retriesServerErrors` is what this request may do (pull-parity D8). */
export type Visit<T> = (client: RegistryClient, retriesServerErrors: boolean) => Promise<Result<T, Miss>>;

/**
 * Asks the endpoints in order for one content; the first failure is the one reported (containerd
 * `dockerFetcher.Fetch`). Runtimes that stay with the endpoint that resolved the name have only that one here.
 */
export async function fromEachEndpoint<T>(
  context: PullContext,
  wanted: Wanted,
  visit: Visit<T>,
): Promise<Result<T, Attempt>> {
  // where one may, containerd asks all of them (`dockerFetcher.Fetch`)
  const endpoints = context.endpoints.some(({ canPull }) => canPull) ? context.endpoints : [];
  const misses: Miss[] = [];
  for (const [at, endpoint] of endpoints.entries()) {
    const isLast = at === endpoints.length - 1;
    // the next endpoint is for when this one fails
    // oxlint-disable-next-line no-await-in-loop
    const got = await visit(context.clientFor(endpoint), context.traits.retriesServerErrors && isLast);
    if (got.ok) {
      if (misses.length > 0) context.noteAnswer(endpoint, wanted, undefined);
      for (const { attempt } of misses) context.noteDetour(attempt);
      return got;
    }
    misses.push(got.error);
    context.noteAnswer(endpoint, wanted, got.error.attempt.outcome);
    if (got.error.isFinal) break;
  }
  const chosen = misses.find((one) => one.isFinal) ?? misses[0];
  if (chosen === undefined) {
    const detail = `${context.reference.host}: no declared host may serve content`;
    return err(ended({ kind: 'not-checked', reason: 'node-settings', detail }));
  }
  const attempts = misses.map((one) => one.attempt);
  return err(joinFailures(chosen.attempt, attempts));
}
