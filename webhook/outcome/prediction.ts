import type { Platform } from '../image/platform.ts';
import type { Doubt } from './certainty.ts';
import type { Finding } from './finding.ts';
import type { PullOutcome } from './outcome.ts';

/** The answer for one image of one Pod: exactly one outcome, whether it is proof, and what was noticed on the way. */
export type Prediction = {
  readonly outcome: PullOutcome;
  /** The image is provably not pullable as asked, or provably pullable (design, rule 1). */
  readonly isConclusive: boolean;
  /** Why it is not proof; empty where `isConclusive`. */
  readonly doubts: readonly Doubt[];
  readonly findings: readonly Finding[];
  /** Requests sent to registries and token services for this answer; 0 from the cache. */
  readonly requests: number;
  readonly millis: number;
  /** The course of it, for `--explain`; empty where nobody asked for it. */
  readonly course: readonly CourseStep[];
};

/** One step of the course: what was done, and why, with its own steps beneath. */
export type CourseStep = {
  readonly text: string;
  /** For a request: the shell command that repeats it, what is secret as variables. */
  readonly command?: string;
  readonly steps: readonly CourseStep[];
};

/** What a Pod says of the platforms it may land on. */
export type PlatformChoice = {
  readonly platforms: readonly Platform[];
  /** The Pod itself or the policy says that no other platform is possible (design, rule 2). */
  readonly isFixed: boolean;
};
