import type { Digest } from '../../webhook/image/digest.ts';
import { normalizePlatform, type Platform } from '../../webhook/image/platform.ts';
import type { CertificateFacts, Evidence, OutcomeKind, OutcomeOf } from '../../webhook/outcome/outcome.ts';

export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}` as Digest;
export const AMD64: Platform = normalizePlatform({ os: 'linux', architecture: 'amd64' });
export const ARM64: Platform = normalizePlatform({ os: 'linux', architecture: 'arm64' });

export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    endpoint: 'https://reg.example:5000',
    method: 'HEAD',
    path: '/v2/team/app/manifests/1',
    status: 404,
    code: 'MANIFEST_UNKNOWN',
    askedAs: { by: 'pull-secret', secret: 'ci', key: 'reg.example:5000' },
    declaredBy: undefined,
    ...changes,
  };
}

const noAnswer = evidence({ status: undefined, code: undefined, askedAs: { by: 'anonymous' } });

export const CERTIFICATE: CertificateFacts = {
  subject: 'CN=reg.example',
  issuer: 'CN=Example CA',
  names: ['reg.example', 'reg.internal'],
  validFrom: '2024-01-01T00:00:00.000Z',
  validTo: '2025-01-01T00:00:00.000Z',
  isSelfSigned: false,
};

/** One outcome of each kind: a new kind does not compile until it is here. */
export const SAMPLES: { readonly [K in OutcomeKind]: OutcomeOf<K> } = {
  pullable: {
    kind: 'pullable',
    digest: DIGEST,
    depth: 'graph',
    compressedBytes: 31_457_280,
    platforms: [AMD64, ARM64],
  },
  'invalid-reference': { kind: 'invalid-reference', reason: 'repository name (Nginx) must be lowercase' },
  'tag-not-found': { kind: 'tag-not-found', tag: '1', similarTags: ['1.0', '1.1'], evidence: evidence() },
  'repository-not-found': {
    kind: 'repository-not-found',
    repository: 'team/app',
    evidence: evidence({ code: 'NAME_UNKNOWN' }),
  },
  'digest-not-found': { kind: 'digest-not-found', digest: DIGEST, evidence: evidence() },
  'platform-mismatch': {
    kind: 'platform-mismatch',
    wanted: [ARM64],
    offered: [AMD64],
    isPartial: false,
    evidence: evidence({ method: 'GET', status: 200, code: undefined }),
  },
  'pull-secret-malformed': {
    kind: 'pull-secret-malformed',
    secret: 'ci',
    reason: 'entry "reg.example:5000" has an auth that is not base64',
  },
  'unsupported-manifest': {
    kind: 'unsupported-manifest',
    mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    reason: 'schema1',
    evidence: evidence({ status: 200, code: undefined }),
  },
  damaged: {
    kind: 'damaged',
    part: 'layer',
    digest: DIGEST,
    problem: 'is absent from the registry',
    evidence: evidence({ method: 'GET', path: `/v2/team/app/blobs/${DIGEST}`, code: 'BLOB_UNKNOWN' }),
  },
  'will-not-run': {
    kind: 'will-not-run',
    reason: 'other-platform',
    found: 'linux/arm64',
    wanted: [AMD64],
    digest: DIGEST,
  },
  'never-pull-absent': { kind: 'never-pull-absent', lackingNodes: 3 },
  'access-denied': {
    kind: 'access-denied',
    reason: 'no-credentials',
    by: 'registry',
    evidence: evidence({ status: 401, code: 'UNAUTHORIZED', askedAs: { by: 'anonymous' } }),
  },
  'http-not-declared': { kind: 'http-not-declared', evidence: noAnswer },
  'https-expected-http': {
    kind: 'https-expected-http',
    evidence: evidence({ endpoint: 'http://reg.example:5000', status: 400, code: undefined }),
  },
  'tls-unknown-authority': { kind: 'tls-unknown-authority', certificate: CERTIFICATE, evidence: noAnswer },
  'tls-wrong-name': { kind: 'tls-wrong-name', certificate: CERTIFICATE, evidence: noAnswer },
  'tls-expired': { kind: 'tls-expired', certificate: CERTIFICATE, evidence: noAnswer },
  'tls-client-certificate-required': { kind: 'tls-client-certificate-required', evidence: noAnswer },
  'tls-other': { kind: 'tls-other', reason: 'the server speaks only TLS 1.0', evidence: noAnswer },
  'pull-too-slow': {
    kind: 'pull-too-slow',
    digest: DIGEST,
    compressedBytes: 4_402_341_478,
    bytesPerSecond: 20_000_000,
    throughputFrom: 'declared',
    estimatedSeconds: 220,
    limit: { name: 'activeDeadlineSeconds', seconds: 120 },
  },
  'rate-limited': {
    kind: 'rate-limited',
    retryAfterSeconds: 30,
    evidence: evidence({ status: 429, code: 'TOOMANYREQUESTS', askedAs: { by: 'anonymous' } }),
  },
  'registry-error': {
    kind: 'registry-error',
    reason: undefined,
    evidence: evidence({ status: 503, code: 'UNAVAILABLE' }),
  },
  unreachable: { kind: 'unreachable', phase: 'dns', host: 'reg.example:5000', evidence: noAnswer },
  'not-checked': { kind: 'not-checked', reason: 'blocked-address', detail: 'reg.example:5000' },
};
