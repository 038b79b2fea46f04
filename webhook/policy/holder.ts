import type { Result } from '../image/result.ts';
import { readPolicy } from './load.ts';
import type { PolicyMistake } from './mistake.ts';
import type { Policy } from './policy.ts';

/** The policy in force. A bad document never replaces a good one. */
export type PolicyHolder = {
  current(): Policy;
  /** Takes a new document; where it has mistakes they are returned, and the last good policy stays in force. */
  offer(text: string, name: string): Result<Policy, readonly PolicyMistake[]>;
  /** The mistakes of the last document offered, `undefined` where it is in force. */
  readonly lastError: { readonly name: string; readonly mistakes: readonly PolicyMistake[] } | undefined;
};

export function createPolicyHolder(initial: Policy): PolicyHolder {
  let policy = initial;
  let lastError: PolicyHolder['lastError'];
  return {
    current: () => policy,
    offer: (text, name) => {
      const offered = readPolicy(text, name);
      if (offered.ok) policy = offered.value;
      lastError = offered.ok ? undefined : { name, mistakes: offered.error };
      return offered;
    },
    get lastError() {
      return lastError;
    },
  };
}
