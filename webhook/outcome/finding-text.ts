import type { EndpointAnswer, Finding, FindingKind } from './finding.ts';
import { capitalized, field, listed, quote } from './printable.ts';

type FindingOf<K extends FindingKind> = Extract<Finding, { readonly kind: K }>;
type FindingTexts = { readonly [K in FindingKind]: (finding: FindingOf<K>) => string };

const secretOf = (finding: { readonly secret: string }): string => `pull secret ${quote(finding.secret, 64)}`;

const UNREADABLE: Readonly<Record<Extract<Finding, { kind: 'pull-secret-unreadable' }>['reason'], string>> = {
  forbidden: 'the webhook may not "get" Secrets in this namespace; grant it by RBAC',
  unavailable: 'the Kubernetes API did not answer in time; try again',
  'too-large': 'the pull secrets of one Pod are looked at up to 128 KiB; keep only the registries that the Pod needs',
};

const ODD_LOGIN: Readonly<
  Record<FindingOf<'pull-secret-odd-login'>['reason'], (finding: FindingOf<'pull-secret-odd-login'>) => string>
> = {
  'no-login': (finding) =>
    `${secretOf(finding)} has an entry ${quote(finding.entry, 64)} without a user name and a password (docker login puts them into a credential store where the machine has one): create it anew (kubectl create secret docker-registry)`,
  'white-space': (finding) =>
    `the login of ${secretOf(finding)}, entry ${quote(finding.entry, 64)}, has white space at an end: echo adds a line break, printf does not`,
};

const FINDING_TEXT: FindingTexts = {
  'pull-secret-missing': (finding) =>
    `${secretOf(finding)} does not exist in this namespace${remedyOfMissing(finding)}`,
  'pull-secret-unreadable': (finding) => `${secretOf(finding)} could not be read: ${UNREADABLE[finding.reason]}`,
  'pull-secret-wrong-type': (finding) =>
    `${secretOf(finding)} has type ${quote(finding.type, 64)}, which the kubelet ignores: create it as kubernetes.io/dockerconfigjson (kubectl create secret docker-registry)`,
  'pull-secret-empty': (finding) =>
    `${secretOf(finding)} has no data under ${quote(finding.key, 64)}: the kubelet ignores it; create it anew (kubectl create secret docker-registry)`,
  'pull-secret-token-only': (finding) =>
    `${secretOf(finding)} has only ${finding.field} for ${quote(finding.entry, 64)}, which the kubelet ignores: store a user name and password (or access token) instead`,
  'pull-secret-odd-login': (finding) => ODD_LOGIN[finding.reason](finding),
  'service-account-missing': (finding) =>
    `ServiceAccount ${quote(finding.serviceAccount, 64)} does not exist in this namespace: its pull secrets are not known; create it first`,
  'key-nearly-matches': (finding) =>
    `${secretOf(finding)} has an entry ${quote(finding.entry, 64)} that does not match ${field(finding.image, 96)} because ${field(finding.reason, 120)}`,
  'certificate-expires-soon': (finding) =>
    `the certificate of ${field(finding.host, 96)} expires in ${finding.days} ${finding.days === 1 ? 'day' : 'days'} (${field(finding.validTo, 32)}): renew it, or every pull from there fails`,
  'endpoints-disagree': (finding) =>
    `the endpoints that nodes ask do not agree: ${answersOf(finding.answers)}; make them hold the same, or take the one that fails out of the settings of the nodes`,
  'mutable-tag': (finding) =>
    `tag ${quote(finding.tag, 64)} can change between pulls: pin the image by digest (@sha256:...)`,
  'node-settings-problem': (finding) => `node settings ${field(finding.file, 96)}: ${field(finding.reason, 400)}`,
};

/** Secrets of the Pod's own namespace are all that the kubelet looks at (design, rule 5). */
function remedyOfMissing({ secret, elsewhere = [] }: FindingOf<'pull-secret-missing'>): string {
  if (secret.includes('/')) return ': imagePullSecrets takes names alone, of Secrets in the namespace of the Pod';
  return elsewhere.length === 0
    ? ': the kubelet pulls without it; create it, or take it out of imagePullSecrets'
    : `, only in ${listed(elsewhere)}: the kubelet pulls without it; create it beside the Pod too`;
}

/** More endpoints, or more contents, than a sentence can hold. */
const MOST_ANSWERS = 4;

/** By content, in the order in which they were asked: `tag "1": mirror a:5000 has it, upstream b answered 404`. */
function answersOf(answers: readonly EndpointAnswer[]): string {
  const contents = [...new Set(answers.map(({ content }) => content))];
  return contents
    .map((content) => {
      const own = answers.filter((one) => one.content === content);
      const told = own
        .slice(0, MOST_ANSWERS)
        .map(({ role, endpoint, answer }) => `${field(role, 16)} ${field(endpoint, 64)} ${field(answer, 96)}`);
      const rest = own.length - told.length;
      return `${field(content, 80)}: ${told.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    })
    .slice(0, MOST_ANSWERS)
    .join('; ');
}

/** One printable sentence: what was noticed, and what to do about it. */
export function describeFinding(finding: Finding): string {
  return capitalized(textOf(finding.kind, finding));
}

function textOf<K extends FindingKind>(kind: K, finding: FindingOf<K>): string {
  return FINDING_TEXT[kind](finding);
}
