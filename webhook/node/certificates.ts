import { createPrivateKey, X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import { err, ok, type Result } from '../image/result.ts';
import { field } from '../outcome/printable.ts';
import type { EndpointTls, SettingsRule, TlsFiles } from './endpoint.ts';
import type { FileTree } from './file-tree.ts';

/** Why a runtime refuses every pull from a host before it asks anything: in its own words, with the file. */
export type Refusal = {
  readonly reason: string;
  readonly file: string;
  readonly rule?: SettingsRule;
  /** The file is one that the runtime reads for TLS, anew at each pull. */
  readonly isTls?: true;
  /** The file has its place outside the folder that was handed over, where nodes may well have it. */
  readonly isElsewhere?: true;
};

/** What files hold for TLS, and which they are. */
export type TlsMaterial = { readonly tls: Pick<EndpointTls, 'authorities' | 'clientPairs'>; readonly files: TlsFiles };
type ClientPair = EndpointTls['clientPairs'][number];

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[^-]+-----END (?:[A-Z]+ )?PRIVATE KEY-----/u;
/** Where trees lie on a node: an absolute path below means a file of the tree, wherever it was copied from. */
const ROOTS = ['/etc/containerd/certs.d/', '/etc/docker/certs.d/', '/etc/containers/certs.d/'];

/** For an endpoint: nothing where no file was read. */
export function filesOf(material: TlsMaterial | undefined): { readonly files?: TlsFiles } {
  if (material === undefined) return {};
  const { files } = material;
  return files.authorities.length + files.clientPairs.length === 0 ? {} : { files };
}

/** How messages name a file of a tree. */
export function displayPath(tree: FileTree, path: string): string {
  return posix.isAbsolute(path) ? path : posix.join(tree.name, path);
}

/** Whether a file is named that no copy of the folder would hold. */
export function isElsewhere(tree: FileTree, path: string): boolean {
  return posix.isAbsolute(path) && ![`${tree.name}/`, ...ROOTS].some((one) => path.startsWith(one));
}

/** Reads a file that a settings file names, relative to the tree or absolute as the node has it; `file` is what was read. */
export function readNamed(tree: FileTree, path: string): { readonly text: string; readonly file: string } | undefined {
  const root = [`${tree.name}/`, ...ROOTS].find((one) => path.startsWith(one));
  const inside = root === undefined ? undefined : path.slice(root.length);
  const text = inside === undefined ? undefined : tree.read(inside);
  if (inside !== undefined && text !== undefined) return { text, file: displayPath(tree, inside) };
  const whole = tree.read(path);
  return whole === undefined ? undefined : { text: whole, file: displayPath(tree, path) };
}

/** Whether Go's `AppendCertsFromPEM` would find a certificate in it. */
export function hasCertificate(pem: string): boolean {
  return (pem.match(CERTIFICATE) ?? []).some((block) => parseCertificate(block) !== undefined);
}

export function hasPrivateKey(pem: string): boolean {
  return PRIVATE_KEY.test(pem);
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** Whether Go's `tls.X509KeyPair` would take the two: the first certificate must belong to the key. */
export function isKeyPair(pair: ClientPair): boolean {
  const block = pair.certificate.match(CERTIFICATE)?.[0];
  const key = PRIVATE_KEY.exec(pair.key)?.[0];
  const certificate = block === undefined ? undefined : parseCertificate(block);
  if (certificate === undefined || key === undefined) return false;
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/**
 * Reads `*.crt` as authorities and `*.cert` with `*.key` as client pairs, as dockerd and CRI-O do
 * (docker registry `ReadCertsDirectory`, containers/image `SetupCertificates`): either half without the other is an
 * error, a `.crt` without a certificate is not. `undefined` where there is no such folder.
 */
export function readCertificateFolder(tree: FileTree, folder: string): Result<TlsMaterial | undefined, Refusal> {
  const names = tree.list(folder);
  if (names === undefined) return ok(undefined);
  const authorities: string[] = [];
  const clientPairs: ClientPair[] = [];
  const files: { readonly authorities: string[]; readonly clientPairs: ClientPair[] } = {
    authorities: [],
    clientPairs: [],
  };
  const fileOf = (name: string): string => displayPath(tree, posix.join(folder, name));
  const refuse = (reason: string, name: string): Result<never, Refusal> =>
    err({ reason: field(reason, 400), file: displayPath(tree, posix.join(folder, name)), isTls: true });
  for (const name of names) {
    const stem = name.replace(/\.[^.]*$/u, '');
    if (name.endsWith('.crt')) {
      const text = tree.read(posix.join(folder, name));
      if (text === undefined) return refuse(`unable to read ${name}`, name);
      authorities.push(text);
      files.authorities.push(fileOf(name));
    }
    if (name.endsWith('.cert')) {
      if (!names.includes(`${stem}.key`)) {
        return refuse(
          `missing key ${stem}.key for client certificate ${name}. Note that CA certificates should use the extension .crt`,
          name,
        );
      }
      const pair = readPair(tree, posix.join(folder, name), posix.join(folder, `${stem}.key`));
      if (pair === undefined) return refuse(`failed to load the key pair ${name} and ${stem}.key`, name);
      clientPairs.push(pair);
      files.clientPairs.push({ certificate: fileOf(name), key: fileOf(`${stem}.key`) });
    }
    if (name.endsWith('.key') && !names.includes(`${stem}.cert`)) {
      return refuse(`missing client certificate ${stem}.cert for key ${name}`, name);
    }
  }
  return ok({ tls: { authorities, clientPairs }, files });
}

function readPair(tree: FileTree, certificateFile: string, keyFile: string): ClientPair | undefined {
  const certificate = tree.read(certificateFile);
  const key = tree.read(keyFile);
  if (certificate === undefined || key === undefined) return undefined;
  return isKeyPair({ certificate, key }) ? { certificate, key } : undefined;
}
