/** What is wrong beside the outcome: it may fail a pull tomorrow, or explains why one fails today. */
export type Finding =
  | {
      readonly kind: 'pull-secret-missing';
      readonly secret: string;
      /** Other namespaces of the manifests at hand that have one of that name. */
      readonly elsewhere?: readonly string[];
    }
  | {
      readonly kind: 'pull-secret-unreadable';
      readonly secret: string;
      readonly reason: 'forbidden' | 'unavailable' | 'too-large';
    }
  | { readonly kind: 'pull-secret-wrong-type'; readonly secret: string; readonly type: string }
  /** The type is right, but the key that goes with it is absent or empty. */
  | { readonly kind: 'pull-secret-empty'; readonly secret: string; readonly key: string }
  | {
      readonly kind: 'pull-secret-token-only';
      readonly secret: string;
      readonly entry: string;
      readonly field: 'identitytoken' | 'registrytoken';
    }
  /** An entry that matches and holds no login, or one with white space at an end. */
  | {
      readonly kind: 'pull-secret-odd-login';
      readonly secret: string;
      readonly entry: string;
      readonly reason: 'no-login' | 'white-space';
    }
  | { readonly kind: 'service-account-missing'; readonly serviceAccount: string }
  /** A key that matches but for one spelling: `reason` completes "it does not match because ...". */
  | {
      readonly kind: 'key-nearly-matches';
      readonly secret: string;
      readonly entry: string;
      readonly image: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'certificate-expires-soon';
      readonly host: string;
      readonly validTo: string;
      readonly days: number;
    }
  /** Of several endpoints that a node asks some have what others lack, or give no answer at all; the pull fails. */
  | { readonly kind: 'endpoints-disagree'; readonly answers: readonly EndpointAnswer[] }
  | { readonly kind: 'mutable-tag'; readonly tag: string }
  /** A node settings file that the runtime ignores or chokes on. */
  | { readonly kind: 'node-settings-problem'; readonly file: string; readonly reason: string };

/** What one endpoint said when it was asked for the image or a part of it. */
export type EndpointAnswer = {
  /** Host with port. */
  readonly endpoint: string;
  readonly role: 'mirror' | 'upstream';
  /** `tag "1"`, `layer sha256:0123456789ab`. */
  readonly content: string;
  readonly has: boolean;
  /** Completes the endpoint's name: `has it`, `answered 404 MANIFEST_UNKNOWN`. */
  readonly answer: string;
};

export type FindingKind = Finding['kind'];

export const FINDING_KINDS = [
  'pull-secret-missing',
  'pull-secret-unreadable',
  'pull-secret-wrong-type',
  'pull-secret-empty',
  'pull-secret-token-only',
  'pull-secret-odd-login',
  'service-account-missing',
  'key-nearly-matches',
  'certificate-expires-soon',
  'endpoints-disagree',
  'mutable-tag',
  'node-settings-problem',
] as const satisfies readonly FindingKind[];

export type EveryFindingIsListed = Exclude<FindingKind, (typeof FINDING_KINDS)[number]> extends never ? true : never;
export const everyFindingIsListed: EveryFindingIsListed = true;
