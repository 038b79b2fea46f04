import { fieldOf, listOf, textOf } from '../admission/field.ts';
import { inNamespace, isWorkloadName, podSpecPath, readWorkload, type Workload } from '../admission/images.ts';
import { err, ok, type Result } from '../image/result.ts';
import { listed, toPrintable } from '../outcome/printable.ts';
import { placeIn, readDocuments, type ManifestObject } from './documents.ts';
import { findMisshapen, type Misshapen } from './misshapen.ts';
import { readSecret, type ManifestSecret } from './secret.ts';

/** What the files of a `check` hold that matters to pulls. */
export type Manifests = {
  readonly workloads: readonly { readonly workload: Workload; readonly source: ManifestObject }[];
  readonly secrets: readonly ManifestSecret[];
  readonly serviceAccounts: readonly ManifestServiceAccount[];
  /** One line each: what the user should know, and what changes no verdict. */
  readonly notices: readonly string[];
};

export type ManifestServiceAccount = {
  readonly namespace: string;
  readonly name: string;
  readonly imagePullSecrets: readonly string[];
};

/** `isNamed` where the user named this very file, and not a folder with all sorts of files in it. */
export type ManifestFile = { readonly name: string; readonly text: string; readonly isNamed: boolean };

type Sourced<T> = { readonly value: T; readonly source: ManifestObject };
type Read = {
  readonly workloads: Sourced<Workload>[];
  readonly secrets: Sourced<ManifestSecret>[];
  readonly serviceAccounts: Sourced<ManifestServiceAccount>[];
  readonly otherKinds: Set<string>;
  readonly mistakes: string[];
};

/** Objects as they stand in the files, some without a namespace. */
export type ReadManifests = Omit<Read, 'mistakes'>;

/** What a pipeline leaves of a command that failed: kubectl refuses it too. */
const EMPTY_INPUT = 'it is empty: did the command fail that writes it?';

/** Reads all files. Every mistake of every file is a line. */
export function readManifests(files: readonly ManifestFile[]): Result<ReadManifests, readonly string[]> {
  const read: Read = { workloads: [], secrets: [], serviceAccounts: [], otherKinds: new Set(), mistakes: [] };
  for (const file of files) {
    if (file.isNamed && file.text.trim() === '') {
      read.mistakes.push(`${placeIn(file.name, 1)}: ${file.name === '-' ? EMPTY_INPUT : 'it is empty'}`);
      continue;
    }
    const documents = readDocuments(file.text, file.name);
    if (!documents.ok) read.mistakes.push(...documents.error);
    else for (const source of documents.value) readObject(source, file, read);
  }
  return read.mistakes.length > 0 ? err(read.mistakes) : ok(read);
}

function readObject(source: ManifestObject, file: ManifestFile, read: Read): void {
  const { kind, apiVersion } = source.object;
  if (typeof kind !== 'string' || kind === '') {
    // a folder of manifests holds values, kustomizations and schemas too
    if (file.isNamed || apiVersion !== undefined) {
      read.mistakes.push(`${placeIn(file.name, source.lineOf(''))}: the object has no kind, so it is no manifest`);
    }
    return;
  }
  const addMistake = (name: string, { at, reason }: Misshapen): void => {
    read.mistakes.push(`${placeIn(file.name, source.lineOf(at))}: ${kind} ${toPrintable(name)}: ${reason}`);
  };
  if (kind === 'Secret' && apiVersion === 'v1') {
    const secret = readSecret(source.object);
    if (secret.ok) read.secrets.push({ value: secret.value, source });
    else read.mistakes.push(`${placeIn(file.name, source.lineOf(secret.error.at))}: ${secret.error.reason}`);
    return;
  }
  if (kind === 'ServiceAccount' && apiVersion === 'v1') {
    const account = readServiceAccount(source.object);
    const mistake = findMisshapen(source.object, []);
    if (mistake === undefined) {
      read.serviceAccounts.push({ value: account, source });
    } else {
      addMistake(account.name, mistake);
    }
    return;
  }
  const workload = readWorkload(source.object);
  if (workload === undefined) {
    read.otherKinds.add(kindWithVersion(kind, apiVersion));
    return;
  }
  const mistake =
    workload.unreadable > 0
      ? { at: ['spec'], reason: 'an image or a container is not written as one' }
      : findMisshapen(source.object, podSpecPath(kind));
  if (mistake === undefined) {
    read.workloads.push({ value: workload, source });
  } else {
    addMistake(workload.name, mistake);
  }
}

/** `Deployment` of a group that has none any more would be a riddle without its `apiVersion`. */
function kindWithVersion(kind: string, apiVersion: unknown): string {
  return isWorkloadName(kind) && typeof apiVersion === 'string' ? `${kind} (${apiVersion})` : kind;
}

/** The objects of the files in their namespaces: their own, or else `namespace`. Of two Secrets of one name the later counts. */
export function settleManifests(read: ReadManifests, namespace: string): Manifests {
  const place = <T extends { readonly namespace: string }>({ value, source }: Sourced<T>): Sourced<T> => ({
    value: { ...value, namespace: value.namespace || namespace },
    source,
  });
  const secrets = read.secrets.map(place);
  const serviceAccounts = read.serviceAccounts.map(place);
  const hasImages = read.workloads.some(({ value }) => value.uses.length > 0);
  const seen = [...read.otherKinds].toSorted();
  return {
    workloads: read.workloads.map(({ value, source }) => ({
      workload: inNamespace(value, value.namespace || namespace),
      source,
    })),
    secrets: secrets.map(({ value }) => value),
    serviceAccounts: serviceAccounts.map(({ value }) => value),
    notices: [
      ...repeated('Secret', secrets),
      ...repeated('ServiceAccount', serviceAccounts),
      ...(hasImages || seen.length === 0
        ? []
        : [`the manifests name no image: no Pod and no workload among ${listed(seen, 8)}`]),
    ],
  };
}

function repeated(
  kind: string,
  objects: readonly Sourced<{ readonly namespace: string; readonly name: string }>[],
): readonly string[] {
  const groups = Map.groupBy(objects, ({ value }) => `${value.namespace}/${value.name}`);
  return [...groups].flatMap(([name, group]) => {
    const last = group.at(-1);
    if (last === undefined || group.length < 2) return [];
    const places = group.map(({ source }) => placeIn(source.file, source.lineOf('')));
    return [`${kind} ${toPrintable(name)} is there ${group.length} times (${listed(places)}), the last one counts`];
  });
}

function readServiceAccount(object: ManifestObject['object']): ManifestServiceAccount {
  const metadata = fieldOf(object, 'metadata');
  return {
    namespace: textOf(metadata, 'namespace'),
    name: textOf(metadata, 'name'),
    imagePullSecrets: listOf(object, 'imagePullSecrets').map((one) => textOf(one, 'name')),
  };
}
