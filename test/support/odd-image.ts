import type { Repository, Stored } from '../../webhook/demo/image-store.ts';
import { DOCKER_MANIFEST, DOCKER_SCHEMA1_SIGNED, OCI_CONFIG, OCI_MANIFEST } from '../../webhook/image/media-type.ts';

const json = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));

/** A manifest that is no image: a Helm chart, a signature, anything with types of its own (OCI image spec, artifacts). */
export function addArtifact(
  repository: Repository,
  { artifactType, configType, layerType, tags = [] }: ArtifactOptions = {},
): Stored & { readonly config: Stored; readonly layers: readonly Stored[] } {
  const config = repository.addBlob(json({}), configType ?? 'application/vnd.oci.empty.v1+json');
  const layers = [
    repository.addBlob(Buffer.from('content of an artifact'), layerType ?? 'application/vnd.example.data'),
  ];
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config, layers };
  return { ...repository.addManifest(document, OCI_MANIFEST, tags), config, layers };
}

export type ArtifactOptions = {
  readonly artifactType?: string;
  readonly configType?: string;
  readonly layerType?: string;
  readonly tags?: readonly string[];
};

/** A schema 1 manifest, as registries kept them until 2019. Unsigned: nobody gets as far as the signature. */
export function addSchema1(repository: Repository, tags: readonly string[] = []): Stored {
  const layer = repository.addBlob(Buffer.from('an old layer'));
  const document = {
    schemaVersion: 1,
    name: repository.name,
    tag: tags[0] ?? 'latest',
    architecture: 'amd64',
    fsLayers: [{ blobSum: layer.digest }],
    history: [{ v1Compatibility: JSON.stringify({ id: 'f'.repeat(64), architecture: 'amd64', os: 'linux' }) }],
  };
  return repository.addManifest(document, DOCKER_SCHEMA1_SIGNED, tags);
}

/** An image whose only layer is foreign: it lies at `urls`, and not in the registry. */
export function addForeignImage(repository: Repository, urls: readonly string[], tags: readonly string[] = []): Stored {
  const { config, layers } = repository.addImage({ format: 'docker' });
  const absent = { digest: layers[0]?.digest.replace(/.{8}$/u, '00000000'), size: layers[0]?.size };
  const foreign = { ...absent, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls };
  const document = { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers: [foreign] };
  return repository.addManifest(document, DOCKER_MANIFEST, tags);
}

/** The attestation that BuildKit puts beside an image in its index: a manifest for `unknown/unknown`. */
export function addAttestation(
  repository: Repository,
): Stored & { readonly platform: { os: string; architecture: string } } {
  const statement = repository.addBlob(
    json({ _type: 'https://in-toto.io/Statement/v0.1' }),
    'application/vnd.in-toto+json',
  );
  const config = repository.addBlob(
    json({ architecture: 'unknown', os: 'unknown', rootfs: { type: 'layers', diff_ids: [] } }),
    OCI_CONFIG,
  );
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [statement] };
  return { ...repository.addManifest(document, OCI_MANIFEST), platform: { os: 'unknown', architecture: 'unknown' } };
}
