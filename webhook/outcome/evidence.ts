import { formatPlatform } from '../image/platform.ts';
import { shortDigest } from '../image/digest.ts';
import type { CertificateFacts, Evidence, Identity, OutcomeKind, OutcomeOf, PullOutcome } from './outcome.ts';
import { field, listed, quote } from './printable.ts';
import { formatBytes, formatRate } from './quantity.ts';

type EvidenceTexts = { readonly [K in OutcomeKind]: (outcome: OutcomeOf<K>) => string };

const ENDPOINT = /^(?<scheme>https?):\/\/(?:[^/?#]*@)?(?<authority>[^/?#@]+)/iu;

/** `https://reg.example:5000` and nothing else of a URL: no user, no path, no query. The port stays as it is written. */
export function formatEndpoint(endpoint: string): string {
  const groups = ENDPOINT.exec(endpoint)?.groups;
  return groups === undefined ? 'the registry' : `${groups['scheme']}://${field(groups['authority'] ?? '', 96)}`;
}

/** Host with port of an endpoint, as settings files name it; `undefined` where it is no URL. */
export function authorityOf(endpoint: string): string | undefined {
  const authority = ENDPOINT.exec(endpoint)?.groups?.['authority'];
  return authority === undefined ? undefined : field(authority, 96);
}

/** `as pull secret "ci"` or `without credentials`. */
function formatIdentity(identity: Identity): string {
  return identity.by === 'anonymous' ? 'without credentials' : `as pull secret ${quote(identity.secret, 64)}`;
}

/** `HEAD https://reg.example:5000/v2/app/manifests/1`: enough to repeat it with curl. */
function formatRequest(evidence: Evidence): string {
  const path = evidence.path.split(/[?#]/u, 1)[0] ?? '';
  return `${evidence.method} ${formatEndpoint(evidence.endpoint)}${field(path, 200)}`;
}

/** Without an answer nobody was judged: who asked is left out. */
function asked(outcome: { readonly evidence: Evidence }, met = 'got no answer'): string {
  const { evidence } = outcome;
  const code = evidence.code === undefined ? '' : ` ${evidence.code}`;
  const answer =
    evidence.status === undefined ? met : `answered ${evidence.status}${code} ${formatIdentity(evidence.askedAs)}`;
  return `${formatRequest(evidence)} ${answer}${sourceOf(evidence)}`;
}

/** A settings file sends the node to an endpoint; a certificate file or its folder only goes along. */
function sourceOf({ declaredBy, sentBy }: Evidence): string {
  if (sentBy !== undefined) return `, sent there by ${formatEndpoint(sentBy)}`;
  if (declaredBy === undefined) return '';
  const isSettings = /\.(?:toml|json|conf)$|^nodes\./u.test(declaredBy);
  return `, ${isSettings ? 'asked there by' : 'using'} ${field(declaredBy, 96)}`;
}

/** What a TLS failure shows is the certificate, not an answer: who asked does not matter. */
function shown(outcome: { readonly evidence: Evidence; readonly certificate: CertificateFacts | undefined }): string {
  const { evidence, certificate } = outcome;
  const [endpoint, source] = [formatEndpoint(evidence.endpoint), sourceOf(evidence)];
  if (certificate === undefined) return `the TLS handshake with ${endpoint} failed${source}`;
  const names = certificate.names.length === 0 ? 'no names' : `names ${listed(certificate.names)}`;
  const dates = `valid ${day(certificate.validFrom)} to ${day(certificate.validTo)}`;
  return `${endpoint} shows ${quote(certificate.subject, 64)}, issued by ${quote(certificate.issuer, 64)}, ${names}, ${dates}${source}`;
}

/** `2026-11-22` of an ISO 8601 instant. */
export function day(instant: string): string {
  return field(instant.slice(0, 10), 10);
}

const EVIDENCE: EvidenceTexts = {
  pullable: (outcome) => {
    const size = outcome.compressedBytes === undefined ? '' : `, ${formatBytes(outcome.compressedBytes)} compressed`;
    const platforms = outcome.platforms.length === 0 ? '' : `, for ${listed(outcome.platforms.map(formatPlatform), 6)}`;
    return `${shortDigest(outcome.digest)}${size}${platforms}`;
  },
  'invalid-reference': () => 'the kubelet answers InvalidImageName without asking a registry',
  'tag-not-found': asked,
  'repository-not-found': asked,
  'digest-not-found': asked,
  'platform-mismatch': asked,
  'pull-secret-malformed': () => 'the kubelet reads every pull secret before it pulls anything',
  'unsupported-manifest': asked,
  damaged: asked,
  'will-not-run': (outcome) => `${shortDigest(outcome.digest)} says ${quote(outcome.found, 96)}`,
  'never-pull-absent': (outcome) => (outcome.lackingNodes === undefined ? '' : 'seen in the image lists of the Nodes'),
  'access-denied': (outcome) =>
    outcome.by === 'node-settings'
      ? `${field(outcome.evidence.declaredBy ?? 'their settings', 128)} says so, and no registry is asked`
      : asked(outcome),
  'http-not-declared': (outcome) => asked(outcome, 'was answered in plain HTTP'),
  'https-expected-http': (outcome) => asked(outcome, 'met a TLS server'),
  'tls-unknown-authority': shown,
  'tls-wrong-name': shown,
  'tls-expired': shown,
  'tls-client-certificate-required': (outcome) => asked(outcome, 'was refused in the TLS handshake'),
  'tls-other': (outcome) =>
    isSettingsRefusal(outcome)
      ? `the nodes read ${field(outcome.evidence.declaredBy ?? 'their settings', 128)} before they ask`
      : asked(outcome, 'got no TLS connection'),
  'pull-too-slow': (outcome) => {
    const { shared, heldBytes, burst } = outcome;
    return [
      shortDigest(outcome.digest),
      `${formatRate(outcome.bytesPerSecond)} ${outcome.throughputFrom === 'declared' ? 'by policy nodes.throughput' : 'measured by a short read'}`,
      ...(shared === undefined
        ? []
        : [`${formatRate(shared.bytesPerSecond)} in all for ${shared.nodes} nodes at once`]),
      ...(heldBytes === undefined ? [] : [`not counting ${formatBytes(heldBytes)} that every node has`]),
      ...(burst === undefined
        ? []
        : [`${burst.pulls} pulls at once on a node where registryBurst lets ${burst.allowed} start`]),
    ].join(', ');
  },
  'rate-limited': asked,
  'registry-error': asked,
  unreachable: asked,
  'not-checked': () => '',
};

/** Nothing was asked: a file of the nodes, which the reason names, stops every pull from there. */
export function isSettingsRefusal({ reason, evidence }: OutcomeOf<'tls-other'>): boolean {
  const name = evidence.declaredBy?.split('/').at(-1) ?? '';
  return name !== '' && reason.includes(name);
}

/** How it is known, as a clause; empty where nothing was asked. */
export function describeEvidence(outcome: PullOutcome): string {
  return textOf(outcome.kind, outcome);
}

function textOf<K extends OutcomeKind>(kind: K, outcome: OutcomeOf<K>): string {
  return EVIDENCE[kind](outcome);
}
