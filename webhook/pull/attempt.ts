import type { ImageReference } from '../image/reference.ts';
import type { Platform } from '../image/platform.ts';
import { CERTAINTY_BASIS, type Doubt } from '../outcome/certainty.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Course } from './course.ts';
import type { ContentCheck } from './content-check.ts';
import type { ForeignLayers } from './foreign-layers.ts';
import type { GraphMemory } from './graph-memory.ts';

/** How one runtime with one login would end, and what keeps that from being proof. */
export type Attempt = { readonly outcome: PullOutcome; readonly doubts: readonly Doubt[] };

/** Everything that one try of a pull works with. */
export type PullContext = {
  readonly reference: ImageReference;
  readonly platform: Platform;
  readonly endpoints: readonly Endpoint[];
  readonly clientFor: (endpoint: Endpoint) => RegistryClient;
  /** False beyond the registry's budget: existence must do (design, rule 9). */
  readonly mayLookInside: (endpoint: Endpoint) => boolean;
  /** Graphs already found whole, by digest. */
  readonly memory: GraphMemory;
  /** Reads layers whole; `undefined` for the default depth, which reads headers. */
  readonly contentCheck: ContentCheck | undefined;
  readonly foreignLayers: ForeignLayers;
  readonly course: Course;
};

export const isSuccess = (outcome: PullOutcome): boolean => outcome.kind === 'pullable' || outcome.kind === 'will-not-run';

/** Noise about the network, our own limits: never the end of an endpoint, only of our asking. */
export const isNoise = (outcome: PullOutcome): boolean => CERTAINTY_BASIS[outcome.kind] === 'never';

/** How far a pull got before it failed: the answer that got furthest names the cause (design, rule 1). */
const PROGRESS: Readonly<Record<PullOutcome['kind'], number>> = Object.freeze({
  pullable: 9,
  'will-not-run': 9,
  'pull-too-slow': 9,
  damaged: 8,
  'platform-mismatch': 8,
  'unsupported-manifest': 8,
  'rate-limited': 6,
  'access-denied': 5,
  'tag-not-found': 5,
  'repository-not-found': 5,
  'digest-not-found': 5,
  'registry-error': 4,
  'https-expected-http': 3,
  'http-not-declared': 3,
  'tls-unknown-authority': 3,
  'tls-wrong-name': 3,
  'tls-expired': 3,
  'tls-client-certificate-required': 3,
  'tls-other': 3,
  unreachable: 2,
  'not-checked': 1,
  'invalid-reference': 0,
  'pull-secret-malformed': 0,
  'never-pull-absent': 0,
});

export function furthest(attempts: readonly [Attempt, ...Attempt[]]): Attempt {
  return attempts.reduce((best, one) => (PROGRESS[one.outcome.kind] > PROGRESS[best.outcome.kind] ? one : best));
}

export function uniqueDoubts(doubts: readonly Doubt[]): readonly Doubt[] {
  return [...new Set(doubts)];
}
