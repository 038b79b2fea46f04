import type { Registries } from './registries.ts';
import type { Workload } from './workload.ts';

/** A pull that fails, and what Pullguard says of it. */
export type Cause = {
  readonly workload: Workload;
  readonly cause: string;
  /** How it is known; a warning has no room for it. */
  readonly evidence: string;
  readonly remedy: string;
};
export type PullCause = Cause & {
  /** In the message of the waiting container: the kubelet's and containerd's own words. */
  readonly nodeSays: RegExp;
};

export const PULL_SECRET = 'registry-login';
export const STALE_SECRET = 'old-login';

const CERTS_D = '/etc/containerd/certs.d';
const ONLY_FOLDER = `config_path of the containerd registry settings must be ${CERTS_D} alone`;
const DECLARE = 'if the nodes have it already, declare it (policy nodes.containerd.certsD, check --certs-d)';

/** Every cause that a registry can bring about, but the slow pull, which no node refuses. */
export const CAUSES = {
  'plain HTTP that the node was not told of': ({ undeclared: host }: Registries): PullCause => ({
    workload: { name: 'plain-http', image: `${host}/team/app:1` },
    cause: `${host} speaks plain HTTP, and the nodes are not told to allow that`,
    evidence: `HEAD https://${host}/v2/team/app/manifests/1 was answered in plain HTTP`,
    remedy: `Set server = "http://${host}" and below it [host] in ${CERTS_D}/${host}/hosts.toml on the nodes, or give the registry TLS; ${ONLY_FOLDER}; ${DECLARE}`,
    nodeSays: /: http: server gave HTTP response to HTTPS client$/u,
  }),
  'an authority that the node does not know': ({
    unknownAuthority: { host, validFrom, validTo },
  }: Registries): PullCause => ({
    workload: { name: 'unknown-ca', image: `${host}/team/app:1` },
    cause: `the certificate of ${host} is signed by an unknown CA, which the nodes do not trust`,
    evidence: `https://${host} shows "unknown.e2e.test", issued by "The unknown Authority", names unknown.e2e.test, valid ${day(validFrom)} to ${day(validTo)}`,
    remedy: `Put the CA certificate into ${CERTS_D}/${host}/ca.crt on the nodes (beside a hosts.toml, name it there: ca = "${CERTS_D}/${host}/ca.crt"); ${ONLY_FOLDER}; ${DECLARE}`,
    nodeSays: /: tls: failed to verify certificate: x509: certificate signed by unknown authority/u,
  }),
  'no pull secret for a private registry': ({ login: host }: Registries): PullCause => ({
    workload: { name: 'no-login', image: `${host}/team/app:1` },
    cause: `${host} wants a login, and the Pod has no pull secret for it`,
    evidence: `HEAD https://${host}/v2/team/app/manifests/1 answered 401 without credentials, using ${CERTS_D}/${host}/ca.crt`,
    remedy: `Create a pull secret for ${host} in the Pod's namespace and name it in imagePullSecrets: kubectl create secret docker-registry NAME --docker-server=${host} --docker-username=USER --docker-password=PASSWORD`,
    nodeSays: /: authorization failed: no basic auth credentials$/u,
  }),
  'a pull secret with an old password': ({ login: host }: Registries): PullCause => ({
    workload: { name: 'stale-login', image: `${host}/team/app:1`, pullSecret: STALE_SECRET },
    cause: `${host} rejected the login of pull secret "${STALE_SECRET}" (entry "${host}")`,
    evidence: `HEAD https://${host}/v2/team/app/manifests/1 answered 401 as pull secret "${STALE_SECRET}", using ${CERTS_D}/${host}/ca.crt`,
    remedy: `Put a valid user name and password for ${host} into entry "${host}" of that secret (they may have expired)`,
    nodeSays: /: unexpected status from HEAD request to \S+: 401 Unauthorized$/u,
  }),
  'an image that lacks a layer': ({ declared: { host, layer } }: Registries): PullCause => ({
    workload: { name: 'damaged', image: `${host}/team/damaged:1` },
    cause: `the image is damaged: the layer ${layer.slice(0, 'sha256:'.length + 12)} is absent from the registry`,
    evidence: `GET http://${host}/v2/team/damaged/blobs/${layer} answered 404 BLOB_UNKNOWN without credentials, ${askedBy(host)}`,
    remedy:
      'Push the image again from where it was built; if the push says "already exists" or still fails, delete the tag in the registry first',
    nodeSays: new RegExp(`: could not fetch content descriptor ${layer} \\S+ from remote: not found$`, 'u'),
  }),
  'a tag that does not exist': ({ declared: { host } }: Registries): PullCause => ({
    workload: { name: 'no-tag', image: `${host}/team/app:2`, pullPolicy: 'Always' },
    cause: 'tag "2" does not exist in the registry',
    evidence: `HEAD http://${host}/v2/team/app/manifests/2 answered 404 MANIFEST_UNKNOWN without credentials, ${askedBy(host)}`,
    remedy: 'Push the tag, or name one that exists',
    nodeSays: /: failed to resolve image: \S+\/team\/app:2: not found$/u,
  }),
  'an image for another platform': ({ declared: { host, index } }: Registries): PullCause => ({
    workload: { name: 'arm-only', image: `${host}/team/arm:1` },
    cause: 'it is not built for linux/amd64, only for linux/arm64',
    evidence: `GET http://${host}/v2/team/arm/manifests/${index} answered 200 without credentials, ${askedBy(host)}`,
    remedy:
      'Push it for linux/amd64 too (docker buildx build --push --platform linux/arm64,linux/amd64), or bind the Pod to nodes with kubernetes.io/arch arm64',
    nodeSays: new RegExp(`: no match for platform in manifest ${index}: not found$`, 'u'),
  }),
} as const satisfies Record<string, (registries: Registries) => PullCause>;

/** A pull that goes on longer than its Deployment waits: 20 s of a minute. */
export function slowCause({ slow }: Registries, bytesPerSecond: number): Cause {
  const seconds = Math.round(slow.bytes / bytesPerSecond);
  const size = `${Math.round(slow.bytes / 1024 ** 2)} MiB at ${bytesPerSecond / 1000} kB/s is about ${seconds} s`;
  return {
    workload: { name: 'slow', image: `${slow.host}/team/large:1`, progressDeadlineSeconds: 20 },
    cause: `the pull is too slow: ${size}, the Deployment is given up after 20 s`,
    evidence: '',
    remedy: `Raise the Deployment's progressDeadlineSeconds above ${seconds} s, make the image smaller, or pull it onto the nodes beforehand`,
  };
}

/** What kubectl prints of a denial, in one line. `field` is the place of the container in the object. */
export function denialOf({ workload, cause, evidence, remedy }: Cause, field: string): string {
  const verdict = `container "app" (${field}), image ${workload.image}: ${cause} (${evidence}). ${remedy}`;
  return `Error from server (Forbidden): error when creating "STDIN": admission webhook "images.pullguard.io" denied the request: ${verdict}\n`;
}

/** The same as a warning: without its evidence, and cut where 240 characters are full. */
export function warningOf({ workload, cause, remedy }: Cause): string {
  const text = `container "app", image ${workload.image}: ${cause}. ${remedy}`;
  return `Warning: ${text.length <= 240 ? text : `${text.slice(0, 237).trimEnd()}...`}\n`;
}

function askedBy(host: string): string {
  return `asked there by ${CERTS_D}/${host}/hosts.toml`;
}

const day = (date: Date): string => date.toISOString().slice(0, 10);
