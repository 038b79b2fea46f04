import { REVIEW_API_VERSION, REVIEW_KIND } from './review.ts';

/** What goes back to the API server (admission.k8s.io/v1, AdmissionResponse). Never a patch. */
export type ReviewResponse = {
  readonly apiVersion: typeof REVIEW_API_VERSION;
  readonly kind: typeof REVIEW_KIND;
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: 403; readonly reason: 'Forbidden'; readonly message: string };
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
  };
};

export type Reviewed = { readonly kind: 'reviewed'; readonly body: ReviewResponse };
/** `no-review` is HTTP 400; everything else is HTTP 200. */
export type ReviewAnswer = { readonly kind: 'no-review'; readonly reason: string } | Reviewed;

export type Decision = {
  /** One printable line; its presence is the denial. */
  readonly denial: string | undefined;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** The one place where a uid gets its answer. */
export function answerTo(uid: string, { denial, warnings, annotations }: Decision): Reviewed {
  return {
    kind: 'reviewed',
    body: {
      apiVersion: REVIEW_API_VERSION,
      kind: REVIEW_KIND,
      response: {
        uid,
        allowed: denial === undefined,
        ...(denial === undefined ? {} : { status: { code: 403, reason: 'Forbidden', message: denial } }),
        ...(warnings.length === 0 ? {} : { warnings }),
        ...(Object.keys(annotations).length === 0 ? {} : { auditAnnotations: annotations }),
      },
    },
  };
}

/** Nothing to check: the request passes as it is. */
export function passUntouched(uid: string): Reviewed {
  return answerTo(uid, { denial: undefined, warnings: [], annotations: {} });
}

/** Our own failure never stops a cluster (design, rule 8). */
export function passAfterFailure(uid: string): Reviewed {
  return answerTo(uid, {
    denial: undefined,
    warnings: ['the images were not checked: Pullguard failed inside and admitted the request; its log says why'],
    annotations: { verdict: 'error' },
  });
}
