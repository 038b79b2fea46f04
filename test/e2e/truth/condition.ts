import type { OutcomeKind } from '../../../webhook/outcome/outcome.ts';

/** One way in which a registry, a Secret or the node's files can be, and the Pod that meets it. */
export type Condition = {
  /** The Pod's name. */
  readonly id: string;
  /** The rule that it is made from, of pull-parity's numbering. */
  readonly rule: string;
  readonly image: string;
  /** Files of the node's certs.d, by relative path. */
  readonly node?: Readonly<Record<string, string>>;
  readonly secrets?: readonly TruthSecret[];
  /** Names in `imagePullSecrets` that no Secret has. */
  readonly missingSecrets?: readonly string[];
  readonly pullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /** Where in the Pod the image is; default: its only container. Beside it stands an image that is sound. */
  readonly place?: 'init' | 'sidecar' | 'second' | 'volume' | 'volume-unmounted';
  /** Pull secrets of the Pod's ServiceAccount; the Pod has the others. */
  readonly accountSecrets?: readonly TruthSecret[];
  /** The node has an image of that name already. */
  readonly isPreloaded?: true;
  /** Only the bytes of layers show it: `--verify headers` must not deny, and need not know. */
  readonly contentOnly?: true | undefined;
  /** Why the engine may leave open, but never deny, what the node knows. */
  readonly openBecause?: string | undefined;
};

export type TruthSecret = {
  readonly type?: 'kubernetes.io/dockerconfigjson' | 'kubernetes.io/dockercfg' | 'Opaque';
  readonly text: string;
};

/** What the kubelet's message must say where we named a cause; a kind that is not here has no text of its own. */
export const NODE_WORDS: Readonly<Partial<Record<OutcomeKind, RegExp>>> = Object.freeze({
  'invalid-reference': /InvalidImageName|couldn't parse image name/u,
  'tag-not-found': /not found/u,
  'repository-not-found': /not found/u,
  'digest-not-found': /not found/u,
  'platform-mismatch': /no match for platform|content digest .* not found/u,
  'access-denied': /40[13]|authorization failed|no basic auth credentials|insufficient_scope|pull access denied/u,
  'http-not-declared': /server gave HTTP response to HTTPS client/u,
  'https-expected-http': /400 Bad Request/u,
  'tls-unknown-authority': /signed by unknown authority/u,
  'tls-wrong-name': /certificate is valid for|doesn't contain any IP SANs|legacy Common Name|not valid for any names/u,
  'tls-expired': /expired or is not yet valid/u,
  'tls-client-certificate-required': /certificate required|bad certificate|tls: handshake failure/u,
  'tls-other': /tls: |CA cert|CERT file|key pair/u,
  'pull-secret-malformed': /illegal base64|unable to parse auth field|json: /u,
  'rate-limited': /429/u,
  'registry-error':
    /unexpected status|no realm|invalid token auth challenge|unsupported protocol|not a valid digest|unable to decode|did not include a token|stopped after|failed to parse Location|malformed|transport connection broken|invalid port|unsupported Content-Encoding|5\d\d/u,
  unreachable: /refused|no such host|unreachable|no route|timeout|reset|EOF|deadline/u,
  'never-pull-absent': /not present with pull policy of Never/u,
  'unsupported-manifest':
    /schema 1|v1\+prettyjws not supported|unexpected media type|not found|rejecting|media-type|content size of zero|expected (?:manifest|index)|failed to extract layer/u,
  damaged: /not found|commit|size|short read|unexpected EOF|diff|invalid|unmarshal|JSON|zero/u,
});
