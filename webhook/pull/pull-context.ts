import type { Platform } from '../image/platform.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Attempt } from './attempt.ts';
import type { ContentCheck } from './content-check.ts';
import type { Course } from './course.ts';
import type { EndpointAnswers } from './endpoint-answers.ts';
import type { ForeignLayers } from './foreign-layers.ts';
import type { GraphMemory } from './graph-memory.ts';
import type { Meter } from './measure.ts';
import type { RuntimeTraits } from './traits.ts';

/** Everything that one try of a pull works with: one runtime, one login, one platform. */
export type PullContext = {
  readonly reference: ImageReference;
  readonly platform: Platform;
  readonly traits: RuntimeTraits;
  /** In the order in which the runtime asks them. */
  readonly endpoints: readonly Endpoint[];
  readonly clientFor: (endpoint: Endpoint) => RegistryClient;
  /** False beyond the registry's budget: existence must do (design, rule 9). */
  readonly mayLookInside: (endpoint: Endpoint) => boolean;
  /** Graphs already found whole, by digest. */
  readonly memory: GraphMemory;
  /** Reads layers whole; `undefined` for the default depth, which reads headers. */
  readonly contentCheck: ContentCheck | undefined;
  readonly foreignLayers: ForeignLayers;
  /** Where the throughput may be measured, `undefined` where nobody needs it. */
  readonly meter: Meter | undefined;
  /** Told how an endpoint failed that another one stood in for: with it the pull might have gone another way. */
  readonly noteDetour: (attempt: Attempt) => void;
  /** Told what each endpoint said, for a failure where they do not agree. */
  readonly noteAnswer: EndpointAnswers['note'];
  readonly course: Course;
  /** The end of this prediction. */
  readonly signal: AbortSignal;
};
