import { decodeDescriptor, decodeEntry, type Descriptor, type IndexEntry } from './descriptor.ts';
import { isPresent, isWithinBounds, parseObject } from './go-json.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { isIndexType, isManifestType } from './media-type.ts';
import { oddityOf } from './oddity.ts';
import { err, ok, type Result } from './result.ts';

export type ImageManifest = {
  readonly kind: 'manifest';
  /** As it was served; what it calls itself is `declaredType`, `''` where it says nothing. */
  readonly mediaType: string;
  readonly declaredType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
};

export type ImageIndex = {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly declaredType: string;
  readonly manifests: readonly IndexEntry[];
};

/** Far above any real image (overlayfs mounts at most 500 layers), far below what a 4 MiB manifest could list. */
const MAX_ENTRIES = 2048;

/**
 * Why bytes are no manifest. `mistyped`: they may be sound, but are not what their media type says; `ambiguous`: they
 * are that and something else, which containerd refuses, and others not always; `odd`: not every runtime reads them;
 * `too-long`: they may be sound, but list more than we read.
 */
export type ManifestProblem = {
  readonly kind: 'broken' | 'mistyped' | 'ambiguous' | 'odd' | 'too-long';
  readonly problem: string;
};

const mistyped = (problem: string, isAmbiguous: boolean): { readonly ok: false; readonly error: ManifestProblem } =>
  err({ kind: isAmbiguous ? 'ambiguous' : 'mistyped', problem });
const broken = (problem: string): { readonly ok: false; readonly error: ManifestProblem } =>
  err({ kind: 'broken', problem });

/**
 * Reads a manifest or an index whose bytes were served as `mediaType`, with containerd's check that the two agree
 * (core/images `validateMediaType`): a body that could be read both ways is refused.
 */
export function decodeManifest(
  bytes: Uint8Array,
  mediaType: string,
): Result<ImageManifest | ImageIndex, ManifestProblem> {
  if (!isWithinBounds(bytes)) return err({ kind: 'too-long', problem: `a manifest of more values than any image has` });
  const document = parseObject(bytes);
  if (!document.ok) return broken(document.error);
  const value = document.value;
  for (const name of ['manifests', 'layers']) {
    const list = value[name];
    const length = Array.isArray(list) ? list.length : 0;
    if (length > MAX_ENTRIES) return err({ kind: 'too-long', problem: `a manifest of ${length} ${name}` });
  }
  const declared = declaredTypeOf(value);
  const isToo = isIndexType(mediaType) ? Array.isArray(value['manifests']) : isJsonObject(value['config']);
  if (isPresent(value['fsLayers'])) return mistyped('it is a schema 1 manifest inside', isToo);
  if (isIndexType(mediaType)) {
    if (isPresent(value['config']) || isPresent(value['layers']) || isManifestType(declared)) {
      return mistyped('it was served as an index but is a manifest', isToo);
    }
    const oddity = oddityOf(value, 'index');
    if (oddity !== undefined) return err({ kind: 'odd', problem: oddity });
    const index = decodeIndex(value, mediaType);
    return index.ok ? index : broken(index.error);
  }
  if (isPresent(value['manifests']) || isIndexType(declared)) {
    return mistyped('it was served as a manifest but is an index', isToo);
  }
  const oddity = oddityOf(value, 'manifest');
  if (oddity !== undefined) return err({ kind: 'odd', problem: oddity });
  const manifest = decodeImageManifest(value, mediaType);
  return manifest.ok ? manifest : broken(manifest.error);
}

function decodeImageManifest(value: JsonObject, mediaType: string): Result<ImageManifest> {
  const config = decodeDescriptor(value['config'], 'config');
  if (!config.ok) return config;
  const layers = decodeList(value['layers'], 'layers', decodeDescriptor);
  if (!layers.ok) return layers;
  const declaredType = declaredTypeOf(value);
  return ok({ kind: 'manifest', mediaType, declaredType, config: config.value, layers: layers.value });
}

function decodeIndex(value: JsonObject, mediaType: string): Result<ImageIndex> {
  const manifests = decodeList(value['manifests'], 'manifests', decodeEntry);
  if (!manifests.ok) return manifests;
  return ok({ kind: 'index', mediaType, declaredType: declaredTypeOf(value), manifests: manifests.value });
}

const declaredTypeOf = ({ mediaType }: JsonObject): string => (typeof mediaType === 'string' ? mediaType : '');

function decodeList<T>(
  value: unknown,
  name: string,
  decode: (entry: unknown, name: string) => Result<T>,
): Result<readonly T[]> {
  if (value === undefined || value === null) return ok([]);
  if (!Array.isArray(value)) return err(`its "${name}" is not a list`);
  const list: T[] = [];
  for (const [at, entry] of value.entries()) {
    const decoded = decode(entry, `${name}[${at}]`);
    if (!decoded.ok) return decoded;
    list.push(decoded.value);
  }
  return ok(list);
}
