import { authorityOf } from './evidence.ts';
import type { CertificateFacts, Evidence } from './outcome.ts';
import { field, listed } from './printable.ts';
import type { RuntimeFamily } from './runtime.ts';
import { namesOf, type Wording } from './wording.ts';

type Asked = { readonly evidence: Evidence };
/** `folder` names the host's settings folder, `server` is the endpoint, `file` the settings file that declared it, if one did. */
type Place = { readonly folder: string; readonly server: string; readonly file: string | undefined };
type PerFamily = { readonly [F in RuntimeFamily]: (place: Place) => string };

/** For a registry that speaks plain HTTP (pull-parity E4, E9, E11). containerd 1.7 reads no hosts.toml without `[host]`. */
const ALLOW_HTTP: PerFamily = {
  containerd: ({ folder, server, file }) =>
    file === undefined
      ? `Set server = "http://${server}" and below it [host] in ${hostsToml(folder)} on the nodes, or give the registry TLS`
      : `Write "http://${server}" for ${server} in ${file} on the nodes, or give the registry TLS`,
  docker: ({ folder }) =>
    `Add "${folder}" to insecure-registries in /etc/docker/daemon.json on the nodes and reload docker, or give the registry TLS`,
  crio: ({ folder }) =>
    `Set insecure = true for location = "${folder}" in /etc/containers/registries.conf on the nodes and reload crio, or give the registry TLS`,
};

const USE_HTTPS: PerFamily = {
  containerd: ({ folder, server, file }) =>
    `Write "https://${server}" instead of http:// in ${file ?? hostsToml(folder)} on the nodes`,
  docker: ({ folder, file }) =>
    `Take "${folder}" out of insecure-registries in ${file ?? '/etc/docker/daemon.json'} on the nodes and reload docker`,
  crio: ({ folder, file }) =>
    `Take insecure = true for "${folder}" out of ${file ?? '/etc/containers/registries.conf'} on the nodes and reload crio`,
};

/** Without a hosts.toml, containerd takes the `*.crt` files of the folder; with one, only what it names (E3, E4). */
const TRUST_CA: PerFamily = {
  containerd: ({ folder, server, file }) => {
    const path = `/etc/containerd/certs.d/${folder}/ca.crt`;
    return file === undefined
      ? `Put the CA certificate into ${path} on the nodes (beside a hosts.toml, name it there: ca = "${path}")`
      : `Put the CA certificate into ${path} on the nodes and name it for ${server} in ${file}: ca = "${path}"`;
  },
  docker: ({ folder }) => `Put the CA certificate into /etc/docker/certs.d/${folder}/ca.crt on the nodes`,
  crio: ({ folder }) => `Put the CA certificate into /etc/containers/certs.d/${folder}/ca.crt on the nodes`,
};

const PRESENT_CLIENT: PerFamily = {
  containerd: ({ folder, server, file }) => {
    const path = `/etc/containerd/certs.d/${folder}/client`;
    return file === undefined
      ? `Put a client certificate and its key into ${path}.cert and ${path}.key on the nodes (beside a hosts.toml, name them there: client = [["${path}.cert", "${path}.key"]])`
      : `Put a client certificate and its key on the nodes and name them for ${server} in ${file}: client = [["${path}.cert", "${path}.key"]]`;
  },
  docker: ({ folder }) =>
    `Put a client certificate and its key into /etc/docker/certs.d/${folder}/client.cert and client.key on the nodes`,
  crio: ({ folder }) =>
    `Put a client certificate and its key into /etc/containers/certs.d/${folder}/client.cert and client.key on the nodes`,
};

/** The policy's short form for all runtimes, which no file on the nodes is named after. */
const SHORTHAND = 'nodes.insecureRegistries';

/** Where the same files are declared: nodes that have them need no change. */
const DECLARE = Object.freeze({
  containerd: 'policy nodes.containerd.certsD, check --certs-d',
  docker: 'policy nodes.docker, check --docker-daemon and --docker-certs-d',
  crio: 'policy nodes.crio, check --registries-conf',
} as const satisfies Record<RuntimeFamily, string>);

/** containerd up to 2.1 reads no such folder unless told so, and its transfer service takes one path only (E1). */
const READ_THE_FOLDER = '; config_path of the containerd registry settings must be /etc/containerd/certs.d alone';

/** A copy may have a mistake that the nodes' own file has not. */
export function correctFile(file: string, { family }: Wording): string {
  return `Put ${field(file, 128)} right on the nodes, as every pull from there fails until then; if only the copy of it is wrong, correct that (${DECLARE[family]})`;
}

function onNodes(outcome: Asked, wording: Wording, what: PerFamily): string {
  const place = placeOf(outcome, wording);
  const isRead = wording.family !== 'containerd' || outcome.evidence.declaredBy !== undefined;
  const declare = `; if the nodes have it already, declare it (${DECLARE[wording.family]})`;
  return `${what[wording.family](place)}${isRead ? '' : READ_THE_FOLDER}${declare}`;
}

/**
 * containerd's folders go by the image's host, the others' by the server's; Docker Hub's server has another name. To where
 * a registry sends them all runtimes take the settings of the registry.
 */
function placeOf({ evidence }: Asked, wording: Wording): Place {
  const { host } = namesOf(wording);
  const server = authorityOf(evidence.sentBy ?? evidence.endpoint) ?? host;
  const folder = wording.family === 'containerd' || server === 'registry-1.docker.io' ? host : server;
  const isSettings = /\.(?:toml|json|conf)$/u.test(evidence.declaredBy ?? '');
  return { folder, server, file: isSettings ? field(evidence.declaredBy ?? '', 96) : undefined };
}

function hostsToml(folder: string): string {
  return `/etc/containerd/certs.d/${folder}/hosts.toml`;
}

export const allowHttp = (outcome: Asked, wording: Wording): string => onNodes(outcome, wording, ALLOW_HTTP);
export const trustAuthority = (outcome: Asked, wording: Wording): string => onNodes(outcome, wording, TRUST_CA);
export const presentClient = (outcome: Asked, wording: Wording): string => onNodes(outcome, wording, PRESENT_CLIENT);

/** Runtimes have no switch for one name: the name or the certificate has to change. */
export function agreeOnName(
  outcome: Asked & { readonly certificate: CertificateFacts | undefined },
  wording: Wording,
): string {
  const server = authorityOf(outcome.evidence.endpoint) ?? namesOf(wording).host;
  const names = outcome.certificate?.names ?? [];
  const reissue = `reissue the registry's certificate with ${server.replace(/:\d+$/u, '')} as subject alternative name`;
  return names.length === 0
    ? `${reissue.replace('reissue', 'Reissue')} (the common name alone does not count)`
    : `Use a name that the certificate has (${listed(names, 3)}), or ${reissue}`;
}

export function useHttps(outcome: Asked, wording: Wording): string {
  const place = placeOf(outcome, wording);
  return outcome.evidence.declaredBy === SHORTHAND
    ? `Take "${place.server}" out of ${SHORTHAND} in the policy, and out of the settings of the nodes`
    : USE_HTTPS[wording.family](place);
}
