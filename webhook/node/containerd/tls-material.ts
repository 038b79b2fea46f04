import { posix } from 'node:path';
import { err, ok, type Result } from '../../image/result.ts';
import { field, quote } from '../../outcome/printable.ts';
import {
  displayPath,
  hasCertificate,
  hasPrivateKey,
  isElsewhere,
  isKeyPair,
  readNamed,
  type Refusal,
  type TlsMaterial,
} from '../certificates.ts';
import type { EndpointTls } from '../endpoint.ts';
import type { FileTree } from '../file-tree.ts';
import type { ClientFiles, HostEntry } from './host-entry.ts';

/** Reads the files that an entry names. One that cannot be used fails every pull from the host (pull-parity E3). */
export function readTlsMaterial(tree: FileTree, folder: string, entry: HostEntry): Result<TlsMaterial, Refusal> {
  const authorities: string[] = [];
  const authorityFiles: string[] = [];
  for (const name of entry.authorityFiles ?? []) {
    const path = posix.isAbsolute(name) ? name : posix.join(folder, name);
    const found = readNamed(tree, path);
    if (found === undefined) return absent('unable to read CA cert', tree, path);
    if (!hasCertificate(found.text)) return refuse('unable to load CA cert', 'it holds no PEM certificate', tree, path);
    authorities.push(found.text);
    authorityFiles.push(found.file);
  }
  const clientPairs: ClientPair[] = [];
  const clientFiles: ClientPair[] = [];
  for (const files of entry.clientFiles) {
    const pair = readClientPair(tree, folder, files);
    if (!pair.ok) return pair;
    clientPairs.push(pair.value.pair);
    clientFiles.push(pair.value.files);
  }
  return ok({
    tls: { authorities, clientPairs },
    files: { authorities: authorityFiles, clientPairs: clientFiles },
  });
}

const KEYLESS = 'it holds no private key, and there is no key file for it';

type ClientPair = EndpointTls['clientPairs'][number];

function readClientPair(
  tree: FileTree,
  folder: string,
  files: ClientFiles,
): Result<{ readonly pair: ClientPair; readonly files: ClientPair }, Refusal> {
  const locate = (name: string): string => (posix.isAbsolute(name) ? name : posix.join(folder, name));
  const certificatePath = locate(files.certificate);
  const keyPath = locate(files.key ?? files.certificate);
  const certificate = readNamed(tree, certificatePath);
  if (certificate === undefined) return absent('unable to read CERT file', tree, certificatePath);
  const key = readNamed(tree, keyPath);
  if (key === undefined) return absent('unable to read CERT file', tree, keyPath);
  const pair = { certificate: certificate.text, key: key.text };
  if (isKeyPair(pair)) return ok({ pair, files: { certificate: certificate.file, key: key.file } });
  return refuse(
    'failed to load X509 key pair',
    files.key === undefined && !hasPrivateKey(key.text)
      ? KEYLESS
      : 'the certificate and the key do not belong together',
    tree,
    certificatePath,
  );
}

function absent(what: string, tree: FileTree, path: string): Result<never, Refusal> {
  const refused = refuse(what, 'no such file', tree, path);
  return refused.ok || !isElsewhere(tree, path) ? refused : err({ ...refused.error, isElsewhere: true });
}

function refuse(what: string, why: string, tree: FileTree, path: string): Result<never, Refusal> {
  const file = field(displayPath(tree, path), 300);
  return err({ reason: `${what} ${quote(file, 300)}: ${why}`, file, isTls: true });
}
