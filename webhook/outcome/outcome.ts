import type { Digest } from '../image/digest.ts';
import type { Platform } from '../image/platform.ts';

/** Whose rights the registry judged. `key` is the entry of the pull secret that matched. */
export type Identity =
  { readonly by: 'anonymous' } | { readonly by: 'pull-secret'; readonly secret: string; readonly key: string };

/** What was asked and what came back: enough to repeat the step with curl. Never a body, an address or a secret. */
export type Evidence = {
  /** Scheme, host and port asked: `https://reg.example:5000`. */
  readonly endpoint: string;
  readonly method: 'HEAD' | 'GET' | 'POST';
  /** Path without query: `/v2/team/app/manifests/1`. */
  readonly path: string;
  readonly status: number | undefined;
  /** The registry's own error code, one of the distribution specification's. */
  readonly code: RegistryErrorCode | undefined;
  readonly askedAs: Identity;
  /** The settings file that made the node ask here, `undefined` for the runtime's default. */
  readonly declaredBy: string | undefined;
  /** The origin that sent us to the endpoint, by a redirect or for a token, where that is another. */
  readonly sentBy?: string;
};

/** The closed list of the OCI distribution specification; any other code is left out of texts. */
export const REGISTRY_ERROR_CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'MANIFEST_UNVERIFIED',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'PAGINATION_NUMBER_INVALID',
  'RANGE_INVALID',
  'SIZE_INVALID',
  'TAG_INVALID',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNAVAILABLE',
  'UNKNOWN',
  'UNSUPPORTED',
] as const;
export type RegistryErrorCode = (typeof REGISTRY_ERROR_CODES)[number];

/** A server's certificate as the message needs it. Dates in ISO 8601. */
export type CertificateFacts = {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  readonly isSelfSigned: boolean;
};

/** How much was seen: the layers' very bytes, the whole graph by header and digest, or only that the name resolves. */
export type Depth = 'content' | 'graph' | 'exists';

export type DamagedPart = 'manifest' | 'index' | 'config' | 'layer';

/**
 * The limit that an estimated pull exceeds, and where it is set. Seconds. The last three are those of containerd,
 * cri-dockerd and CRI-O for a pull that makes no progress.
 */
export type ExceededLimit = {
  readonly name:
    | 'progressDeadlineSeconds'
    | 'activeDeadlineSeconds'
    | 'maxPullSeconds'
    | 'image_pull_progress_timeout'
    | 'image-pull-progress-deadline'
    | 'pull_progress_timeout';
  readonly seconds: number;
  /** Whose `activeDeadlineSeconds` it is. */
  readonly of?: 'Pod' | 'Job';
};

/** A layer by what makes it the same on every node: its digest. */
export type LayerSize = { readonly digest: Digest; readonly size: number };

type Asked = { readonly evidence: Evidence };

/** Every way in which the question "would the nodes pull this image?" can end (design, part 3). */
export type PullOutcome =
  | {
      readonly kind: 'pullable';
      readonly digest: Digest;
      readonly depth: Depth;
      /** The compressed bytes a node without any of the layers would fetch. */
      readonly compressedBytes: number | undefined;
      readonly platforms: readonly Platform[];
      /** The request that the name was resolved by. */
      readonly evidence?: Evidence;
      /** Those layers of a large image that are worth sharing with other images; absent for a small one. */
      readonly largeLayers?: readonly LayerSize[];
    }
  | { readonly kind: 'invalid-reference'; readonly reason: string }
  | ({ readonly kind: 'tag-not-found'; readonly tag: string; readonly similarTags: readonly string[] } & Asked)
  | ({ readonly kind: 'repository-not-found'; readonly repository: string } & Asked)
  | ({ readonly kind: 'digest-not-found'; readonly digest: Digest } & Asked)
  | {
      readonly kind: 'platform-mismatch';
      readonly wanted: readonly Platform[];
      readonly offered: readonly Platform[];
      /** Only some of the platforms that the Pod may land on are missing. */
      readonly isPartial: boolean;
      readonly evidence: Evidence;
    }
  | { readonly kind: 'pull-secret-malformed'; readonly secret: string; readonly reason: string }
  | ({
      readonly kind: 'unsupported-manifest';
      readonly mediaType: string;
      readonly reason: 'schema1' | 'not-a-manifest' | 'too-large' | 'refused-by-runtime' | 'type-inside';
    } & Asked)
  | ({
      readonly kind: 'damaged';
      readonly part: DamagedPart;
      readonly digest: Digest | undefined;
      /** A clause that completes "the layer ...": `is absent from the registry`. */
      readonly problem: string;
    } & Asked)
  | {
      readonly kind: 'will-not-run';
      readonly reason: 'other-platform' | 'not-an-image' | 'unknown-layer-type';
      /** What was found: `linux/arm64`, or a media type. */
      readonly found: string;
      readonly wanted: readonly Platform[];
      readonly digest: Digest;
      /** As in `pullable`. */
      readonly evidence?: Evidence;
    }
  | {
      readonly kind: 'never-pull-absent';
      readonly lackingNodes: number | undefined;
      /** Nodes hold it, but their kubelet may not let this Pod use it unasked; absent where that is no matter. */
      readonly isGuarded?: boolean;
    }
  | ({
      readonly kind: 'access-denied';
      /** `login-unasked`: there is a login, and nothing in the refusal asks for it. */
      readonly reason: 'no-credentials' | 'rejected' | 'insufficient-scope' | 'login-unasked';
      /** Where the refusal came from: the registry, its token service, or where it redirected to. */
      readonly by: 'registry' | 'token-service' | 'redirect-target';
    } & Asked)
  /** The nodes' own settings refuse, and no registry is asked: the evidence's `declaredBy` is the file with its line. */
  | ({
      readonly kind: 'access-denied';
      readonly reason: 'registry-blocked' | 'policy-rejects' | 'short-name-unresolved' | 'short-name-ambiguous';
      readonly by: 'node-settings';
      /** What the rule names: a prefix, a scope (`''` for the default), the short name. */
      readonly subject: string;
    } & Asked)
  | ({ readonly kind: 'http-not-declared' } & Asked)
  | ({ readonly kind: 'https-expected-http' } & Asked)
  | ({ readonly kind: 'tls-unknown-authority'; readonly certificate: CertificateFacts | undefined } & Asked)
  | ({ readonly kind: 'tls-wrong-name'; readonly certificate: CertificateFacts | undefined } & Asked)
  | ({ readonly kind: 'tls-expired'; readonly certificate: CertificateFacts | undefined } & Asked)
  /** `isSurmised`: the nodes have one, which the server seems not to take; it ends the connection without a word. */
  | ({ readonly kind: 'tls-client-certificate-required'; readonly isSurmised?: true } & Asked)
  | ({ readonly kind: 'tls-other'; readonly reason: string; readonly certificate?: CertificateFacts } & Asked)
  | {
      readonly kind: 'pull-too-slow';
      readonly digest: Digest;
      /** What a node still has to fetch of it. */
      readonly compressedBytes: number;
      /** What one node gets; 0 where nothing came. */
      readonly bytesPerSecond: number;
      /** How the throughput is known: the policy says so, or a short read measured it. */
      readonly throughputFrom: 'declared' | 'measured';
      /** For this image alone; Infinity where nothing came. */
      readonly estimatedSeconds: number;
      readonly limit: ExceededLimit;
      /** The Pod's images together, where only that exceeds the limit or exceeds it by more. */
      readonly inAll?: { readonly otherImages: number; readonly estimatedSeconds: number };
      /** Nodes that pull at the same time and share what the registry gives in all. */
      readonly shared?: { readonly nodes: number; readonly bytesPerSecond: number };
      /** What every node has of it already. */
      readonly heldBytes?: number;
      /** For the limits on progress: nothing came for so long, or progress shows only each so many bytes. */
      readonly stall?: { readonly silentSeconds: number } | { readonly stepBytes: number };
      /** So many Pods of this object pull on one node at once that the kubelet makes some wait. */
      readonly burst?: { readonly pulls: number; readonly allowed: number };
    }
  | ({ readonly kind: 'rate-limited'; readonly retryAfterSeconds: number | undefined } & Asked)
  | ({ readonly kind: 'registry-error'; readonly reason: string | undefined } & Asked)
  | ({
      readonly kind: 'unreachable';
      readonly phase: 'dns' | 'refused' | 'reset' | 'timeout' | 'no-route';
      /** Who could not be reached, where that is not the registry itself: the token service, a redirect's target. */
      readonly host: string;
    } & Asked)
  | {
      readonly kind: 'not-checked';
      readonly reason:
        | 'exempt'
        | 'placeholder'
        | 'limit'
        | 'deadline'
        | 'blocked-address'
        | 'untrusted-realm'
        | 'login-withheld'
        | 'node-settings'
        | 'internal';
      /** What exactly, for the message: `registry.local:5000`, `64 images`. */
      readonly detail: string;
    };

export type OutcomeKind = PullOutcome['kind'];
export type OutcomeOf<K extends OutcomeKind> = Extract<PullOutcome, { readonly kind: K }>;

/** Every kind once, in the order of the design's table. */
export const OUTCOME_KINDS = [
  'pullable',
  'invalid-reference',
  'tag-not-found',
  'repository-not-found',
  'digest-not-found',
  'platform-mismatch',
  'pull-secret-malformed',
  'unsupported-manifest',
  'damaged',
  'will-not-run',
  'never-pull-absent',
  'access-denied',
  'http-not-declared',
  'https-expected-http',
  'tls-unknown-authority',
  'tls-wrong-name',
  'tls-expired',
  'tls-client-certificate-required',
  'tls-other',
  'pull-too-slow',
  'rate-limited',
  'registry-error',
  'unreachable',
  'not-checked',
] as const satisfies readonly OutcomeKind[];

/** Does not compile while {@link OUTCOME_KINDS} lacks a kind. */
export type EveryKindIsListed = Exclude<OutcomeKind, (typeof OUTCOME_KINDS)[number]> extends never ? true : never;
export const everyKindIsListed: EveryKindIsListed = true;
