import { err, ok, type Result } from '../image/result.ts';
import { fieldOf, nameOf, textOf } from './field.ts';
import { isJsonObject } from '../image/json.ts';

export const REVIEW_API_VERSION = 'admission.k8s.io/v1';
export const REVIEW_KIND = 'AdmissionReview';

/** One question of the API server, as far as it matters here (admission.k8s.io/v1, AdmissionRequest). */
export type ReviewRequest = {
  readonly uid: string;
  /** `CREATE`, `UPDATE`, `DELETE` or `CONNECT`; anything else is left alone like `DELETE`. */
  readonly operation: string;
  readonly group: string;
  readonly kind: string;
  /** `''` for the object itself. */
  readonly subResource: string;
  /** Whose secrets count: what the object says of its own namespace does not. */
  readonly namespace: string;
  /** `''` where the API server will generate it. */
  readonly name: string;
  readonly isDryRun: boolean;
  /** Untrusted, undecoded. */
  readonly object: unknown;
  readonly oldObject: unknown;
};

/** A UUID has 36 characters. */
const MAX_UID_LENGTH = 256;

/**
 * Reads a review. The error says in a few fixed words why the body is none (HTTP 400); once a uid is known
 * everything else may be missing, and the request is answered.
 */
export function decodeReview(body: unknown): Result<ReviewRequest> {
  if (!isJsonObject(body)) return err('the body is not a JSON object');
  if (textOf(body, 'kind') !== REVIEW_KIND) return err(`the body is not of kind ${REVIEW_KIND}`);
  if (textOf(body, 'apiVersion') !== REVIEW_API_VERSION)
    return err(`the review is not of version ${REVIEW_API_VERSION}`);
  const request = fieldOf(body, 'request');
  if (!isJsonObject(request)) return err('the review has no request');
  const uid = textOf(request, 'uid');
  if (uid === '' || uid.length > MAX_UID_LENGTH) return err('the review has no request.uid');
  const kind = fieldOf(request, 'kind');
  return ok({
    uid,
    operation: nameOf(request, 'operation'),
    group: nameOf(kind, 'group'),
    kind: nameOf(kind, 'kind'),
    subResource: nameOf(request, 'subResource'),
    namespace: nameOf(request, 'namespace'),
    name: nameOf(request, 'name'),
    isDryRun: fieldOf(request, 'dryRun') === true,
    object: fieldOf(request, 'object'),
    oldObject: fieldOf(request, 'oldObject'),
  });
}
