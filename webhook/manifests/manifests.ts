import { inNamespace, readWorkload, type Workload } from '../admission/images.ts';
import { err, ok, type Result } from '../image/result.ts';
import { readDocuments, type ManifestObject } from './documents.ts';
import { readSecret, type ManifestSecret } from './secret.ts';

/** What the files of a `check` hold that matters to pulls. */
export type Manifests = {
  readonly workloads: readonly { readonly workload: Workload; readonly source: ManifestObject }[];
  readonly secrets: readonly ManifestSecret[];
  readonly serviceAccounts: readonly ManifestServiceAccount[];
};

export type ManifestServiceAccount = {
  readonly namespace: string;
  readonly name: string;
  readonly imagePullSecrets: readonly string[];
};

export type ManifestFile = { readonly name: string; readonly text: string };

/** Reads all files; `namespace` is for objects that name none. Every mistake of every file is reported. */
export function readManifests(files: readonly ManifestFile[], namespace: string): Result<Manifests, readonly string[]> {
  const mistakes: string[] = [];
  const workloads: { workload: Workload; source: ManifestObject }[] = [];
  const secrets: ManifestSecret[] = [];
  const serviceAccounts: ManifestServiceAccount[] = [];
  for (const file of files) {
    const documents = readDocuments(file.text, file.name);
    if (!documents.ok) {
      mistakes.push(...documents.error);
      continue;
    }
    for (const source of documents.value) {
      const { kind, apiVersion } = source.object;
      if (typeof kind !== 'string' || kind === '') {
        mistakes.push(`${file.name}:${source.lineOf('')}: the object has no kind`);
      } else if (kind === 'Secret' && apiVersion === 'v1') {
        const secret = readSecret(source.object, namespace);
        if (secret.ok) secrets.push(secret.value);
        else mistakes.push(`${file.name}:${source.lineOf('data')}: ${secret.error}`);
      } else if (kind === 'ServiceAccount' && apiVersion === 'v1') {
        serviceAccounts.push(readServiceAccount(source.object, namespace));
      } else {
        const workload = readWorkload(source.object);
        if (workload !== undefined) workloads.push({ workload: inNamespace(workload, workload.namespace || namespace), source });
      }
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok({ workloads, secrets, serviceAccounts });
}

function readServiceAccount(object: Readonly<Record<string, unknown>>, namespace: string): ManifestServiceAccount {
  const metadata = fieldsOf(object['metadata']);
  const list = Array.isArray(object['imagePullSecrets']) ? object['imagePullSecrets'] : [];
  return {
    namespace: textOf(metadata['namespace']) || namespace,
    name: textOf(metadata['name']),
    imagePullSecrets: list.map((one: unknown) => textOf(fieldsOf(one)['name'])),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
