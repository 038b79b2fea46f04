import type { Action } from '../outcome/action.ts';
import type { OutcomeKind } from '../outcome/outcome.ts';
import type { Mode } from '../policy/policy.ts';

/** How reviews end. `skipped`: nothing in it was to be checked; `error`: our own failure, admitted. */
export const REVIEW_VERDICTS = ['allowed', 'warned', 'denied', 'skipped', 'error'] as const;
export type ReviewVerdict = (typeof REVIEW_VERDICTS)[number];

export type ImageFacts = {
  readonly image: string;
  readonly outcome: OutcomeKind;
  readonly isConclusive: boolean;
  /** What the request met, and what it would have met in mode `enforce`. */
  readonly action: Action;
  readonly intended: Action;
};

/** What happened in one review, for the log and the metrics. Texts are as the request wrote them. */
export type ReviewFacts = {
  readonly uid: string;
  readonly operation: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly isDryRun: boolean;
  readonly verdict: ReviewVerdict;
  readonly mode: Mode;
  /** The distinct images that the request brings, exempt ones too. */
  readonly images: readonly ImageFacts[];
  /** How many more were too many even to list. */
  readonly unlisted: number;
  /** Requests sent to registries and token services. */
  readonly requests: number;
  readonly tookMs: number;
  /** What was thrown on the way; never empty where the verdict is `error`. */
  readonly errors: readonly unknown[];
};
