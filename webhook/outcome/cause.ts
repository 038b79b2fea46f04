import { formatPlatform, spellPlatform } from '../image/platform.ts';
import { shortDigest } from '../image/digest.ts';
import { authorityOf, day } from './evidence.ts';
import type { Evidence, ExceededLimit, OutcomeKind, OutcomeOf, PullOutcome } from './outcome.ts';
import { field, listed, quote } from './printable.ts';
import { formatBytes, formatDuration, formatRate } from './quantity.ts';
import { namesOf, type Wording } from './wording.ts';

type Texts = { readonly [K in OutcomeKind]: (outcome: OutcomeOf<K>, wording: Wording) => string };

/** A cause is never cut, so each field in it is: with the rest of a warning it stays below 240 characters. */
const CAUSE: Texts = {
  pullable: (outcome) => (outcome.depth === 'exists' ? 'the image exists in the registry' : 'the nodes can pull it'),
  'invalid-reference': (outcome) => `the image name is not valid: ${field(outcome.reason, 80)}`,
  'tag-not-found': (outcome) => `tag ${quote(outcome.tag, 48)} does not exist in the registry`,
  'repository-not-found': (outcome) => `repository ${quote(outcome.repository, 64)} does not exist in the registry`,
  'digest-not-found': (outcome) => `digest ${shortDigest(outcome.digest)} does not exist in the registry`,
  'platform-mismatch': (outcome) => {
    const wanted = listed(outcome.wanted.map(spellPlatform), 2, 24);
    const offered =
      outcome.offered.length === 0 ? 'no platform at all' : listed(outcome.offered.map(spellPlatform), 3, 24);
    return `${outcome.isPartial ? 'on some nodes the pull fails: ' : ''}it is not built for ${wanted}, only for ${offered}`;
  },
  'pull-secret-malformed': (outcome) =>
    `pull secret ${quote(outcome.secret, 48)} is malformed and stops every pull of the Pod: ${field(outcome.reason, 72)}`,
  'unsupported-manifest': (outcome) => UNSUPPORTED[outcome.reason](outcome.mediaType),
  damaged: (outcome) => {
    const digest = outcome.digest === undefined ? '' : ` ${shortDigest(outcome.digest)}`;
    return `the image is damaged: the ${outcome.part}${digest} ${field(outcome.problem, 80)}`;
  },
  'will-not-run': (outcome) => WILL_NOT_RUN[outcome.reason](outcome),
  'never-pull-absent': (outcome) =>
    outcome.isGuarded === true
      ? 'imagePullPolicy is Never, and the kubelet may keep this Pod from the image that the nodes hold'
      : outcome.lackingNodes === undefined
        ? 'imagePullPolicy is Never, and whether the nodes hold the image is not known'
        : `imagePullPolicy is Never, and ${count(outcome.lackingNodes, 'node does not hold', 'nodes do not hold')} the image`,
  'access-denied': (outcome, wording) =>
    outcome.by === 'redirect-target' ? refusedElsewhere(outcome, wording) : DENIED[outcome.reason](outcome, wording),
  'http-not-declared': (outcome, wording) =>
    outcome.evidence.sentBy === undefined
      ? `${hostOf(outcome, wording)} speaks plain HTTP, and the nodes are not told to allow that`
      : `${hostOf(outcome, wording)} speaks plain HTTP, but the registry sends nodes to it over HTTPS`,
  'https-expected-http': (outcome, wording) =>
    outcome.evidence.sentBy === undefined
      ? `${hostOf(outcome, wording)} speaks HTTPS, but the nodes are told to use plain HTTP`
      : `${hostOf(outcome, wording)} speaks HTTPS, but the registry sends nodes to it over plain HTTP`,
  'tls-unknown-authority': (outcome, wording) => {
    const signed = outcome.certificate?.isSelfSigned === true ? 'is self-signed' : 'is signed by an unknown CA';
    return `the certificate of ${hostOf(outcome, wording)} ${signed}, which the nodes do not trust`;
  },
  'tls-wrong-name': (outcome, wording) => {
    const names = outcome.certificate?.names ?? [];
    const valid =
      names.length === 0
        ? ''
        : `, only for ${listed(
            names.map((name) => field(name, 32)),
            2,
          )}`;
    return `the certificate of ${hostOf(outcome, wording)} is not valid for that name${valid}`;
  },
  'tls-expired': (outcome, wording) => {
    const dates = outcome.certificate;
    const span = dates === undefined ? '' : `: it is valid only from ${day(dates.validFrom)} to ${day(dates.validTo)}`;
    return `the certificate of ${hostOf(outcome, wording)} has expired or is not yet valid${span}`;
  },
  'tls-client-certificate-required': (outcome, wording) => {
    const lack =
      outcome.isSurmised === true ? 'and seems not to take the one that nodes have' : 'and the nodes have none for it';
    return `${hostOf(outcome, wording)} wants a client certificate, ${lack}`;
  },
  'tls-other': (outcome, wording) => `no TLS connection to ${hostOf(outcome, wording)}: ${field(outcome.reason, 80)}`,
  'pull-too-slow': (outcome) => `the pull is too slow: ${paceOf(outcome)}, ${limitOf(outcome.limit)}`,
  'rate-limited': (outcome, wording) => `${hostOf(outcome, wording)} limits requests at the moment`,
  'registry-error': (outcome, wording) => {
    const { status } = outcome.evidence;
    const answer = status === undefined ? 'gave no proper answer' : `answered ${status}, which is no proper answer`;
    return `${hostOf(outcome, wording)} ${answer}${outcome.reason === undefined ? '' : `: ${field(outcome.reason, 80)}`}`;
  },
  unreachable: (outcome) => `${field(outcome.host, 64)} ${UNREACHABLE[outcome.phase]}`,
  'not-checked': (outcome) => `not checked: ${NOT_CHECKED[outcome.reason]}${detailOf(outcome.detail)}`,
};

const UNSUPPORTED = Object.freeze({
  schema1: () => 'it is stored in the old schema 1 format, which the nodes no longer read',
  'not-a-manifest': (type) =>
    `what the registry serves is no image manifest${type === '' ? '' : ` but ${quote(type, 64)}`}`,
  'too-large': () => 'its manifest is larger than the nodes accept',
  'refused-by-runtime': (type) => `the nodes' runtime refuses its type${type === '' ? '' : ` ${quote(type, 64)}`}`,
  'type-inside': (type) =>
    `the nodes' runtime wants it to name its own type, and ${type === '' ? 'it names none' : `it calls itself ${quote(type, 64)}`} (mediaType)`,
} as const satisfies Record<OutcomeOf<'unsupported-manifest'>['reason'], (mediaType: string) => string>);

const WILL_NOT_RUN = Object.freeze({
  'other-platform': (outcome) =>
    `it can be pulled but not run: it is built for ${field(outcome.found, 32)}, the nodes are ${listed(outcome.wanted.map(formatPlatform), 2, 18)}`,
  'not-an-image': (outcome) => `it can be pulled but not run: it is no container image but ${quote(outcome.found, 64)}`,
  'unknown-layer-type': (outcome) =>
    `it can be pulled but not run: its layers have the type ${quote(outcome.found, 64)}`,
} as const satisfies Record<OutcomeOf<'will-not-run'>['reason'], (outcome: OutcomeOf<'will-not-run'>) => string>);

const DENIED = Object.freeze({
  'no-credentials': (outcome, wording) =>
    `${refuserOf(outcome, wording)} wants a login, and the Pod has no pull secret for ${outcome.by === 'registry' ? 'it' : field(namesOf(wording).host, 48)}`,
  rejected: (outcome, wording) => {
    const who = outcome.evidence.askedAs;
    const login = who.by === 'anonymous' ? 'the request without credentials' : `the login of ${secretWithKey(who)}`;
    return `${refuserOf(outcome, wording)} rejected ${login}`;
  },
  'insufficient-scope': (outcome, wording) => {
    const who = outcome.evidence.askedAs;
    if (who.by === 'anonymous')
      return `${refuserOf(outcome, wording)} says that the repository is private or does not exist`;
    return `the account of ${secretWithKey(who)} may not pull from this repository`;
  },
  'login-unasked': (outcome, wording) =>
    `${refuserOf(outcome, wording)} refuses without asking for the login that the Pod has`,
  'registry-blocked': (outcome) => `the nodes' registries.conf blocks ${subjectOf(outcome)}`,
  'policy-rejects': (outcome) => {
    const subject = subjectOf(outcome);
    return `the nodes' policy.json rejects ${subject === '' ? 'every image that it does not list' : `images of ${subject}`}`;
  },
  'short-name-unresolved': (outcome) => `the nodes know no registry for the short name "${subjectOf(outcome)}"`,
  'short-name-ambiguous': (outcome) =>
    `the nodes know several registries for the short name "${subjectOf(outcome)}" and must not choose`,
} as const satisfies Record<
  OutcomeOf<'access-denied'>['reason'],
  (outcome: OutcomeOf<'access-denied'>, wording: Wording) => string
>);

/** `4.1 GiB at 20 MB/s is about 3.7 min, 6 min with 2 other images of the Pod`. */
function paceOf(outcome: OutcomeOf<'pull-too-slow'>): string {
  const { stall, inAll } = outcome;
  if (stall !== undefined && 'silentSeconds' in stall) {
    return `the registry began to send a layer and no byte came for ${formatDuration(stall.silentSeconds)}`;
  }
  const bytes = stall?.stepBytes ?? outcome.compressedBytes;
  const seconds = stall === undefined ? outcome.estimatedSeconds : bytes / outcome.bytesPerSecond;
  const alone = `${formatBytes(bytes)} at ${formatRate(outcome.bytesPerSecond)} is about ${formatDuration(seconds)}`;
  if (inAll === undefined) return alone;
  const others = count(inAll.otherImages, 'other image', 'other images');
  return `${alone}, ${formatDuration(inAll.estimatedSeconds)} with ${others} of the Pod`;
}

function limitOf({ name, seconds, of }: ExceededLimit): string {
  const duration = formatDuration(seconds);
  if (name === 'activeDeadlineSeconds' && of !== undefined) {
    return `the ${of === 'Job' ? 'Job' : 'Pod'} ends after ${duration}`;
  }
  return LIMIT[name].replace('%', duration);
}

const LIMIT = Object.freeze({
  progressDeadlineSeconds: 'the Deployment is given up after %',
  activeDeadlineSeconds: 'the Pod or Job ends after %',
  maxPullSeconds: 'the policy allows %',
  image_pull_progress_timeout: 'containerd gives up after % without progress',
  'image-pull-progress-deadline': 'cri-dockerd gives up after % without progress',
  pull_progress_timeout: 'CRI-O gives up after % without progress',
} as const satisfies Record<ExceededLimit['name'], string>);

const UNREACHABLE = Object.freeze({
  dns: 'has no address in DNS',
  refused: 'refuses connections',
  reset: 'breaks off connections',
  timeout: 'did not answer in time',
  'no-route': 'cannot be reached: no route to it',
} as const satisfies Record<OutcomeOf<'unreachable'>['phase'], string>);

const NOT_CHECKED = Object.freeze({
  exempt: 'the policy exempts it',
  placeholder: 'a placeholder that another webhook replaces',
  limit: 'a limit was reached',
  deadline: 'the deadline came first',
  'blocked-address': 'the policy does not let the webhook connect there',
  'untrusted-realm': 'the registry sends logins to a host that the policy does not trust',
  'login-withheld': 'no login goes where the registry sends it',
  'node-settings': 'the declared node settings leave no registry to ask',
  internal: 'an internal error',
} as const satisfies Record<OutcomeOf<'not-checked'>['reason'], string>);

function hostOf(outcome: { readonly evidence: Evidence }, wording: Wording): string {
  return field(authorityOf(outcome.evidence.endpoint) ?? namesOf(wording).host, 48);
}

/** No login of the Pod goes there, so that none of its pull secrets is to blame. */
function refusedElsewhere(outcome: OutcomeOf<'access-denied'>, wording: Wording): string {
  const wish = outcome.evidence.status === 401 ? 'wants a login' : 'refuses to hand it out';
  return `${refuserOf(outcome, wording)} ${wish}`;
}

function refuserOf(outcome: OutcomeOf<'access-denied'>, wording: Wording): string {
  const host = hostOf(outcome, wording);
  if (outcome.by === 'registry') return host;
  return outcome.by === 'token-service' ? `the token service ${host}` : `${host}, where the registry redirects to,`;
}

function subjectOf(outcome: OutcomeOf<'access-denied'>): string {
  return outcome.by === 'node-settings' ? field(outcome.subject, 64) : '';
}

function secretWithKey(who: { readonly secret: string; readonly key: string }): string {
  return `pull secret ${quote(who.secret, 40)} (entry ${quote(who.key, 32)})`;
}

function detailOf(detail: string): string {
  return detail === '' ? '' : ` (${field(detail, 96)})`;
}

function count(amount: number, one: string, many: string): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

/** What is wrong, as a clause that can follow the image and a colon. */
export function describeCause(outcome: PullOutcome, wording: Wording): string {
  return textOf(outcome.kind, outcome, wording);
}

function textOf<K extends OutcomeKind>(kind: K, outcome: OutcomeOf<K>, wording: Wording): string {
  return CAUSE[kind](outcome, wording);
}
