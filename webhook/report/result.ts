import type { Action } from '../outcome/action.ts';
import type { Wording } from '../outcome/message.ts';
import type { Prediction } from '../outcome/prediction.ts';

/** What `pullguard check` found out about one image: everything that its outputs show. */
export type CheckResult = {
  /** `Pod/ns/name`, or the image itself where it was named on the command line. */
  readonly object: string;
  /** JSON field path, empty for a bare image. */
  readonly path: string;
  readonly image: string;
  /** `container "web"`, empty for a bare image. */
  readonly where: string;
  readonly prediction: Prediction;
  readonly action: Action;
  readonly wording: Wording;
  /** The lines of the policy that made the action of the outcome, where one was asked. */
  readonly decidedBy?: readonly string[];
  /** The file that the object came from, as it was named, `-` for standard input. Lines count from 1. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
};
