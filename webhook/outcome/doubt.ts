import type { Doubt } from './certainty.ts';

/** Completes "not certain, because ...", with what would settle it. */
const DOUBT_CLAUSE = Object.freeze({
  'node-credentials': 'nodes may hold credentials of their own (policy nodes.credentialProviders)',
  'node-settings': 'nodes may have registry settings or CAs that were not declared (policy nodes.settings)',
  'node-platforms': 'nodes of other platforms may run it (policy nodes.platforms, or a nodeSelector)',
  'node-runtime': 'the runtimes that nodes may have differ here (policy nodes.runtime)',
  'image-may-be-present': 'a node may hold the image already (imagePullPolicy: Always would ask the registry)',
  'image-is-present':
    'nodes hold the image and run it without the registry, only others have to pull it (imagePullPolicy: Always would ask it)',
  'pull-records-unknown':
    'nodes hold the image: what runs there runs on, but only their kubelet knows whether this Pod may use it without asking the registry (policy nodes.kubelet)',
  'insecure-range':
    'dockerd needs no TLS where a node resolves that name into a range of insecure-registries (host:port itself in that list would settle it)',
  'settings-unusable':
    'dockerd does not start with the daemon.json that was given, so that nodes have another (correct it in the policy, nodes.docker, or for check --docker-daemon)',
  'short-name-mode':
    'crio.conf of the nodes may say short_name_mode = "disabled", as OpenShift does (policy nodes.crio.shortNameMode)',
  'secret-may-follow': 'a missing Secret or ServiceAccount may still be created (apply it first)',
  'volume-not-mounted': 'no container of the Pod mounts that volume, so that its failure stops none (volumeMounts)',
  'not-every-endpoint':
    'another endpoint that nodes try gave no answer (policy nodes.containerd, nodes.docker, nodes.crio)',
  'not-a-registry-answer': 'the answer is not one that a registry gives: a proxy may have sent it',
  'answers-disagree': 'the same question got different answers',
  'redirect-login': 'nodes may log in where the registry redirects to (Pullguard takes no login there)',
  'secret-unread':
    'a pull secret was not read (the webhook needs "get" on Secrets there, and reads 16 of a Pod, 128 KiB in all)',
} as const satisfies Record<Doubt, string>);

/** `not certain, because nodes may hold ...`; empty where there is no doubt. */
export function describeDoubts(doubts: readonly Doubt[]): string {
  if (doubts.length === 0) return '';
  const clauses = [...new Set(doubts)].map((doubt) => DOUBT_CLAUSE[doubt]);
  return `not certain, because ${clauses.join(', and ')}`;
}
