import type { Basis } from '../outcome/certainty.ts';
import type { FindingKind } from '../outcome/finding.ts';
import type { OutcomeKind } from '../outcome/outcome.ts';

/** What a kind means in general, for readers who meet it in a list of rules: a title, and what to look at. */
export type RuleText = { readonly title: string; readonly help: string };

const rule = (title: string, help: string): RuleText => Object.freeze({ title, help });

export const OUTCOME_RULES = Object.freeze({
  pullable: rule('The image is pullable', 'The nodes can pull this image with the credentials of this Pod.'),
  'invalid-reference': rule(
    'The image name is not valid',
    'The kubelet answers InvalidImageName. Write HOST[:PORT]/PATH[:TAG][@sha256:DIGEST], the path in lower case and without https://.',
  ),
  'tag-not-found': rule(
    'The tag does not exist',
    'The registry has the repository but not the tag. Push the tag, or name one that exists.',
  ),
  'repository-not-found': rule(
    'The repository does not exist',
    'The registry knows no such repository. Correct the name, or push the image first.',
  ),
  'digest-not-found': rule(
    'The digest does not exist',
    'The registry has no manifest with this digest in this repository. It may have been removed by a clean-up; push it again or name another.',
  ),
  'platform-mismatch': rule(
    'The image is not built for the platform of the nodes',
    'The index lists no image for a platform that the Pod may land on. Build for that platform too, or bind the Pod to nodes that have another.',
  ),
  'pull-secret-malformed': rule(
    'A pull secret is malformed',
    'One unreadable entry in any pull secret stops every pull of the Pod, that of public images too. Create the secret anew with kubectl create secret docker-registry.',
  ),
  'unsupported-manifest': rule(
    'The manifest has a type that the nodes refuse',
    'Schema 1 manifests, pages of a proxy and other documents are no images to the runtime. Build and push the image again with a current tool.',
  ),
  damaged: rule(
    'The image is damaged',
    'A manifest, config or layer is absent, truncated or not what its digest says. Push the image again.',
  ),
  'will-not-run': rule(
    'The image can be pulled but will not run',
    'It is built for another platform, is no container image, or has layers of an unknown type.',
  ),
  'never-pull-absent': rule(
    'imagePullPolicy is Never and nodes lack the image',
    'The kubelet answers ErrImageNeverPull. Load the image onto the nodes, or set imagePullPolicy: IfNotPresent.',
  ),
  'access-denied': rule(
    'The registry denies access',
    'Credentials are missing, wrong or lack rights, or the settings of the nodes refuse the image. Look at imagePullSecrets of the Pod and its ServiceAccount, and at the keys in those secrets.',
  ),
  'http-not-declared': rule(
    'The registry speaks plain HTTP and the nodes are not told so',
    'Runtimes ask by HTTPS unless their settings say otherwise for the host and port. Declare the registry on the nodes, or give it TLS.',
  ),
  'https-expected-http': rule(
    'The registry speaks HTTPS but the nodes are told to use HTTP',
    'Correct the scheme in the settings of the nodes.',
  ),
  'tls-unknown-authority': rule(
    'The certificate of the registry is signed by an unknown CA',
    'Put the CA certificate into the folder that the runtime reads for this host and port, on every node.',
  ),
  'tls-wrong-name': rule(
    'The certificate of the registry has another name',
    'Name the registry as its certificate does, or reissue the certificate with the name as subject alternative name.',
  ),
  'tls-expired': rule(
    'The certificate of the registry has expired or is not yet valid',
    "Renew the registry's certificate.",
  ),
  'tls-client-certificate-required': rule(
    'The registry wants a client certificate',
    'Put a client certificate and its key into the folder that the runtime reads for this host and port, on every node.',
  ),
  'tls-other': rule(
    'No TLS connection to the registry',
    'The handshake failed for another reason than the certificate: protocol version, cipher or a broken chain.',
  ),
  'pull-too-slow': rule(
    'The pull will not end in time',
    'Size and throughput say that a limit will be exceeded. Make the image smaller, raise the limit, or pull it onto the nodes beforehand.',
  ),
  'rate-limited': rule(
    'The registry limits requests',
    'Nothing is proven. Log in for a higher limit, or use a mirror.',
  ),
  'registry-error': rule(
    'The registry gave no proper answer',
    'Nothing is proven. Try again, and look at the registry.',
  ),
  unreachable: rule(
    'The registry could not be reached',
    'Nothing is proven: the nodes may reach it. Look at names, ports, firewalls and NetworkPolicies.',
  ),
  'not-checked': rule(
    'The image was not checked',
    'It is exempt, a placeholder, beyond a limit, or the policy does not let the registry be asked.',
  ),
} as const satisfies Record<OutcomeKind, RuleText>);

/** What it takes for an outcome to be proof, by what its kind rests on. */
export const PROOF_RULES = Object.freeze({
  always: 'it rests on what was written alone',
  asked: 'the endpoints and logins that the nodes would try answered so',
  settings: 'every endpoint and login ended so, and the declared settings are all that the nodes have',
  credentials: 'every endpoint and login ended so, and the nodes hold no other login that could change it',
  platforms: 'every endpoint and login ended so, and the platforms of the nodes are fixed',
  nodes: 'every schedulable node is known',
  never: 'an answer of this kind is never proof',
} as const satisfies Record<Basis, string>);

export const FINDING_RULES = Object.freeze({
  'pull-secret-missing': rule(
    'A pull secret does not exist',
    'The kubelet pulls without it. Create it, or take it out of imagePullSecrets.',
  ),
  'pull-secret-unreadable': rule(
    'A pull secret could not be read',
    'Its credentials are not known. Grant "get" on Secrets in the namespace.',
  ),
  'pull-secret-wrong-type': rule(
    'A pull secret has the wrong type',
    'The kubelet reads kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg only.',
  ),
  'pull-secret-empty': rule(
    'A pull secret is empty',
    'The key that goes with its type is absent or empty: the kubelet ignores it.',
  ),
  'pull-secret-token-only': rule(
    'A pull secret has only a token',
    'The kubelet ignores identitytoken and registrytoken. Store a user name and password.',
  ),
  'pull-secret-odd-login': rule(
    'A pull secret has no proper login',
    'Its entry for the registry has no user name and password, or white space at an end of one.',
  ),
  'service-account-missing': rule(
    'The ServiceAccount does not exist',
    'Its pull secrets are not known. Create it first.',
  ),
  'key-nearly-matches': rule(
    'The key of a pull secret nearly matches',
    'Host, port and path of the key are compared as texts: correct the spelling.',
  ),
  'certificate-expires-soon': rule(
    'The certificate of the registry expires soon',
    'Renew it, or every pull from there fails.',
  ),
  'endpoints-disagree': rule(
    'The endpoints that nodes ask do not agree',
    'Of mirrors and upstream some have what others lack or give no answer: a node pulls or fails by whom it reaches.',
  ),
  'mutable-tag': rule('The tag can change', 'Pin the image by digest.'),
  'node-settings-problem': rule(
    'A settings file of the nodes has a mistake',
    'The runtime ignores the file or refuses to pull because of it.',
  ),
} as const satisfies Record<FindingKind, RuleText>);
