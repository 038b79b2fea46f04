import { formatPlatform } from '../image/platform.ts';
import { authorityOf, isSettingsRefusal } from './evidence.ts';
import { agreeOnName, allowHttp, correctFile, presentClient, trustAuthority, useHttps } from './node-remedy.ts';
import type { Evidence, ExceededLimit, OutcomeKind, OutcomeOf, PullOutcome } from './outcome.ts';
import { capitalized, field, listed, quote } from './printable.ts';
import { formatDuration } from './quantity.ts';
import { namesOf, type Wording } from './wording.ts';

type Texts = { readonly [K in OutcomeKind]: (outcome: OutcomeOf<K>, wording: Wording) => string };

/** Sentences in the imperative, the first step first: a warning may have room for no more. */
const REMEDY: Texts = {
  pullable: () => '',
  'invalid-reference': () =>
    'Write HOST[:PORT]/PATH[:TAG][@sha256:DIGEST], the path in lower case and without https://',
  'tag-not-found': (outcome) => {
    const similar = outcome.similarTags.length === 0 ? '' : ` (it has ${listed(outcome.similarTags, 3)})`;
    return `Push the tag, or name one that exists${similar}`;
  },
  'repository-not-found': (_outcome, wording) =>
    `Correct the name, or push the image to ${namesOf(wording).host}/${namesOf(wording).repository} first`,
  'digest-not-found': () =>
    'Push that image again, or name the digest that the registry has now (a tag may have moved, or a clean-up removed it)',
  'platform-mismatch': (outcome) => {
    const wanted = outcome.wanted.map(formatPlatform);
    const all = [...new Set([...outcome.offered.map(formatPlatform), ...wanted])];
    const architectures = [...new Set(outcome.offered.map((platform) => platform.architecture))];
    const bind =
      architectures.length === 0
        ? ''
        : `, or bind the Pod to nodes with kubernetes.io/arch ${listed(architectures, 3)}`;
    return `Push it for ${listed(wanted, 3)} too (docker buildx build --push --platform ${all
      .slice(0, 4)
      .map((one) => field(one, 48))
      .join(',')})${bind}`;
  },
  // which registry it was for is not known: it stops public images of others too
  'pull-secret-malformed': (outcome) =>
    `Create it anew or take it out of imagePullSecrets: ${createSecret(commandName(outcome.secret), 'REGISTRY')} --dry-run=client -o yaml | kubectl apply -f -`,
  'unsupported-manifest': (outcome) => UNSUPPORTED[outcome.reason],
  damaged: (outcome) =>
    outcome.part === 'layer' || outcome.part === 'config'
      ? 'Push the image again from where it was built; if the push says "already exists" or still fails, delete the tag in the registry first'
      : 'Build and push the image again',
  'will-not-run': (outcome) => WILL_NOT_RUN[outcome.reason],
  'never-pull-absent': (outcome) =>
    outcome.isGuarded === true
      ? "Give the Pod the pull secret that the image was pulled with, or list the image in the kubelet's preloadedImagesVerificationAllowlist"
      : 'Load the image onto the nodes, or set imagePullPolicy: IfNotPresent',
  'access-denied': (outcome, wording) =>
    outcome.by === 'redirect-target'
      ? 'Ask whoever runs the registry: it sends the nodes to a store that does not let them in (an address that is no longer signed, a rule of a CDN)'
      : DENIED[outcome.reason](outcome, wording),
  'http-not-declared': (outcome, wording) =>
    outcome.evidence.sentBy === undefined
      ? allowHttp(outcome, wording)
      : `Let the registry send nodes to http://${targetOf(outcome)}, or give that host TLS`,
  'https-expected-http': (outcome, wording) =>
    outcome.evidence.sentBy === undefined
      ? useHttps(outcome, wording)
      : `Let the registry send nodes to https://${targetOf(outcome)}`,
  'tls-unknown-authority': trustAuthority,
  'tls-wrong-name': agreeOnName,
  'tls-expired': () => "Renew the registry's certificate; if its dates are right, set the clocks",
  'tls-client-certificate-required': presentClient,
  'tls-other': (outcome, wording) => {
    const { declaredBy } = outcome.evidence;
    if (declaredBy !== undefined && isSettingsRefusal(outcome)) return correctFile(declaredBy, wording);
    const settings = declaredBy === undefined ? '' : `Check ${field(declaredBy, 96)} on the nodes, then the registry: `;
    return capitalized(`${settings}set up TLS 1.2 or later with a usual cipher and a complete certificate chain`);
  },
  'pull-too-slow': (outcome) => {
    const { inAll, limit, shared, stall } = outcome;
    if (stall !== undefined && 'silentSeconds' in stall) {
      return `Look at the registry and at proxies before it; if it is only slow to begin, ${RAISE[limit.name]}`;
    }
    const seconds =
      stall === undefined
        ? (inAll?.estimatedSeconds ?? outcome.estimatedSeconds)
        : stall.stepBytes / outcome.bytesPerSecond;
    const raise =
      limit.name === 'activeDeadlineSeconds' && limit.of !== undefined
        ? `raise the ${limit.of === 'Job' ? "Job's" : "Pod's"} activeDeadlineSeconds`
        : RAISE[limit.name];
    const fewer = shared === undefined || shared.nodes < 2 ? '' : 'start fewer Pods at a time, ';
    const image = inAll === undefined ? 'make the image smaller' : 'make the images smaller';
    return capitalized(
      `${raise} above ${formatDuration(seconds)}, ${fewer}${image}, or pull ${inAll === undefined ? 'it' : 'them'} onto the nodes beforehand`,
    );
  },
  'rate-limited': (outcome) => {
    const wait = outcome.retryAfterSeconds === undefined ? '' : ` in ${formatDuration(outcome.retryAfterSeconds)}`;
    return `Try again${wait}; for a higher limit let the Pod log in with a pull secret, or use a mirror`;
  },
  'registry-error': () => 'Try again; if it stays, ask whoever runs the registry',
  unreachable: (outcome) => UNREACHABLE[outcome.phase],
  'not-checked': (outcome) => NOT_CHECKED[outcome.reason],
};

function targetOf({ evidence }: { readonly evidence: Evidence }): string {
  return authorityOf(evidence.endpoint) ?? 'it';
}

function addSecret(wording: Wording): string {
  const { host } = namesOf(wording);
  // the key that the kubelet falls back to (pull-parity C6, C7)
  const server = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
  return `Create a pull secret for ${host} in the Pod's namespace and name it in imagePullSecrets: ${createSecret('NAME', server)}`;
}

function createSecret(name: string, server: string): string {
  return `kubectl create secret docker-registry ${name} --docker-server=${server} --docker-username=USER --docker-password=PASSWORD`;
}

/** Commands are copied into shells: what is no Kubernetes name does not get into one. */
function commandName(name: string): string {
  return name.length <= 253 && /^[a-z0-9][a-z0-9.-]*$/u.test(name) ? name : 'NAME';
}

const UNSUPPORTED = Object.freeze({
  schema1: 'Build and push the image again with a current tool (docker buildx, podman, buildah)',
  'not-a-manifest':
    'Check the image name; if it is right, a proxy or login page may answer in place of the registry: ask whoever runs it',
  'too-large': 'Build the image with fewer layers or annotations and push it again',
  'type-inside': 'Push it again with a tool that writes mediaType as the registry serves it (docker, skopeo, crane)',
  'refused-by-runtime': 'Push a container image (OCI or Docker schema 2), or use a runtime that takes this type',
} as const satisfies Record<OutcomeOf<'unsupported-manifest'>['reason'], string>);

const WILL_NOT_RUN = Object.freeze({
  'other-platform': "Build and push it for the nodes' platform, or bind the Pod to nodes that have the image's",
  'not-an-image': 'Correct the name: a chart or artifact was meant for another tool (helm, oras)',
  'unknown-layer-type': 'Push it with OCI or Docker layers (tar, gzip or zstd), or use a runtime that takes this type',
} as const satisfies Record<OutcomeOf<'will-not-run'>['reason'], string>);

const DENIED = Object.freeze({
  'no-credentials': (_outcome, wording) => addSecret(wording),
  rejected: (outcome, wording) => {
    const who = outcome.evidence.askedAs;
    return who.by === 'anonymous'
      ? addSecret(wording)
      : `Put a valid user name and password for ${namesOf(wording).host} into entry ${quote(who.key, 64)} of that secret (they may have expired)`;
  },
  'insufficient-scope': (outcome, wording) => {
    const { host, repository } = namesOf(wording);
    return outcome.evidence.askedAs.by === 'anonymous'
      ? `Correct the name, or if it is private: ${addSecret(wording)}`
      : `Grant that account pull on ${repository} at ${host}, or correct the name (many registries answer so for a repository that does not exist)`;
  },
  'login-unasked': (outcome, { family }) => {
    if (outcome.evidence.status !== 401) {
      return 'Ask whoever runs the registry, or a proxy or firewall before it, why it refuses: the pull secret is not to blame';
    }
    return family === 'containerd'
      ? 'Let the registry ask for it by Basic or Bearer (WWW-Authenticate)'
      : `Let the registry ask for it at /v2/ too: ${family === 'crio' ? 'CRI-O' : 'dockerd'} logs in where that does`;
  },
  'registry-blocked': (outcome) => `Name another registry, or take blocked = true out of ${settingsOf(outcome)}`,
  'policy-rejects': (outcome) => `Name another registry, or let ${settingsOf(outcome)} accept it`,
  'short-name-unresolved': (outcome, wording) =>
    `Write the registry (${inFull(wording)}), or add an alias or unqualified-search-registries to ${settingsOf(outcome)}`,
  'short-name-ambiguous': (outcome, wording) =>
    `Write the registry (${inFull(wording)}), or add an alias to ${settingsOf(outcome)}`,
} as const satisfies Record<
  OutcomeOf<'access-denied'>['reason'],
  (outcome: OutcomeOf<'access-denied'>, wording: Wording) => string
>);

function settingsOf({ evidence, reason }: OutcomeOf<'access-denied'>): string {
  const file = evidence.declaredBy ?? "CRI-O's settings";
  return `${field(file, 128)} on the nodes (and in its copy: policy nodes.crio, check ${flagOf(reason, file)})`;
}

function flagOf(reason: OutcomeOf<'access-denied'>['reason'], file: string): string {
  if (reason === 'policy-rejects') return '--signature-policy';
  return file.includes('registries.conf.d/') ? '--registries-conf-d' : '--registries-conf';
}

function inFull(wording: Wording): string {
  const { host, repository } = namesOf(wording);
  return `${host}/${repository}`;
}

const RAISE = Object.freeze({
  progressDeadlineSeconds: "raise the Deployment's progressDeadlineSeconds",
  activeDeadlineSeconds: "raise the Pod's or Job's activeDeadlineSeconds",
  maxPullSeconds: 'raise limits.maxPullSeconds in the policy',
  image_pull_progress_timeout: "raise containerd's image_pull_progress_timeout on the nodes",
  'image-pull-progress-deadline': "raise cri-dockerd's --image-pull-progress-deadline on the nodes",
  pull_progress_timeout: "raise CRI-O's pull_progress_timeout on the nodes",
} as const satisfies Record<ExceededLimit['name'], string>);

const UNREACHABLE = Object.freeze({
  dns: 'Correct the name of the registry, or make it resolve for the nodes and for Pullguard',
  refused: 'Start the registry, or correct its port',
  reset: 'Look at the registry and at proxies and firewalls before it',
  timeout: 'Check that the registry runs and that firewalls and NetworkPolicies let the nodes and Pullguard reach it',
  'no-route': 'Check the routes, firewalls and NetworkPolicies between the cluster and the registry',
} as const satisfies Record<OutcomeOf<'unreachable'>['phase'], string>);

const NOT_CHECKED = Object.freeze({
  exempt: '',
  placeholder: '',
  limit: 'Make the object or the image smaller, or raise the limit in the policy (limits)',
  deadline: 'Apply it again, or raise limits.review in the policy and timeoutSeconds of the webhook',
  'blocked-address': 'If the registry is meant to be there, allow its host:port in the policy (network.allow)',
  'untrusted-realm': 'If that host is right, list the pair in the policy (network.realms)',
  'login-withheld': 'Let the registry name an https:// address as its realm, and that which answers in the end',
  'node-settings': "Correct the nodes' settings file and its copy in the policy (nodes)",
  internal: 'Report it with what Pullguard logged',
} as const satisfies Record<OutcomeOf<'not-checked'>['reason'], string>);

/** What to change where; empty where there is nothing to do. */
export function describeRemedy(outcome: PullOutcome, wording: Wording): string {
  return textOf(outcome.kind, outcome, wording);
}

function textOf<K extends OutcomeKind>(kind: K, outcome: OutcomeOf<K>, wording: Wording): string {
  return REMEDY[kind](outcome, wording);
}
