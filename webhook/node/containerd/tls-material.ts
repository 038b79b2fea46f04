import { posix } from 'node:path';
import { err, ok, type Result } from '../../image/result.ts';
import { field, quote } from '../../outcome/printable.ts';
import { displayPath, hasCertificate, isKeyPair, readNamed, type Refusal, type TlsMaterial } from '../certificates.ts';
import type { FileTree } from '../file-tree.ts';
import type { ClientFiles, HostEntry } from './host-entry.ts';

/** Reads the files that an entry names. One that cannot be used fails every pull from the host (pull-parity E3). */
export function readTlsMaterial(tree: FileTree, folder: string, entry: HostEntry): Result<TlsMaterial, Refusal> {
  const authorities: string[] = [];
  for (const name of entry.authorityFiles ?? []) {
    const path = posix.isAbsolute(name) ? name : posix.join(folder, name);
    const text = readNamed(tree, path);
    if (text === undefined) return refuse('unable to read CA cert', 'no such file', tree, path);
    if (!hasCertificate(text)) return refuse('unable to load CA cert', 'it holds no PEM certificate', tree, path);
    authorities.push(text);
  }
  const clientPairs: TlsMaterial['clientPairs'][number][] = [];
  for (const files of entry.clientFiles) {
    const pair = readClientPair(tree, folder, files);
    if (!pair.ok) return pair;
    clientPairs.push(pair.value);
  }
  return ok({ authorities, clientPairs });
}

function readClientPair(
  tree: FileTree,
  folder: string,
  files: ClientFiles,
): Result<TlsMaterial['clientPairs'][number], Refusal> {
  const locate = (name: string): string => (posix.isAbsolute(name) ? name : posix.join(folder, name));
  const certificatePath = locate(files.certificate);
  const keyPath = locate(files.key ?? files.certificate);
  const certificate = readNamed(tree, certificatePath);
  if (certificate === undefined) return refuse('unable to read CERT file', 'no such file', tree, certificatePath);
  const key = readNamed(tree, keyPath);
  if (key === undefined) return refuse('unable to read CERT file', 'no such file', tree, keyPath);
  if (isKeyPair({ certificate, key })) return ok({ certificate, key });
  return refuse(
    'failed to load X509 key pair',
    'the certificate and the key do not belong together',
    tree,
    certificatePath,
  );
}

function refuse(what: string, why: string, tree: FileTree, path: string): Result<never, Refusal> {
  const file = field(displayPath(tree, path), 300);
  return err({ reason: `${what} ${quote(file, 300)}: ${why}`, file });
}
