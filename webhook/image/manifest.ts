import { parseDigest, type Digest } from './digest.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { beyondBounds, type JsonBounds } from './json-bounds.ts';
import { isIndexType, isManifestType } from './media-type.ts';
import { configOddityOf, oddityOf } from './oddity.ts';
import { normalizePlatform, type Platform } from './platform.ts';
import { err, ok, type Result } from './result.ts';

/** One entry of a manifest or an index (OCI image spec, descriptor.md). `size` in bytes. */
export type Descriptor = {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** Where the content may be fetched instead of the registry: foreign layers only. */
  readonly urls: readonly string[];
  /** `undefined` where the entry does not say, which runtimes treat differently from a wrong one. */
  readonly platform: Platform | undefined;
  /** The same as it is written, before spellings are brought together. */
  readonly written?: Platform;
};

/** An entry of an index. A digest or a size that is none matters only to who would follow it: Go reads both. */
export type IndexEntry =
  Descriptor | (Omit<Descriptor, 'digest'> & { readonly digest: undefined; readonly problem: string });

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

/** The part of an image's config that a pull looks at. */
export type ImageConfig = {
  readonly platform: Platform;
  readonly diffIds: readonly string[];
  /** What containerd does not read in it, once it has pulled all the rest. */
  readonly oddity?: string;
};

/** Far above any real image (overlayfs mounts at most 500 layers), far below what a 4 MiB manifest could list. */
const MAX_ENTRIES = 2048;
/** So many entries with platforms have some 45,000 marks. Go reads no deeper either (encoding/json, `maxNestingDepth`). */
const BOUNDS: JsonBounds = Object.freeze({ depth: 10_000, marks: 64 * 1024 });

/** Whether a document can be read at all without taking more memory and time than it is worth. */
export function isWithinBounds(bytes: Uint8Array): boolean {
  return beyondBounds(bytes, BOUNDS) === undefined;
}

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

function decodeDescriptor(value: unknown, name: string): Result<Descriptor> {
  const entry = decodeEntry(value, name);
  if (!entry.ok) return entry;
  return entry.value.digest === undefined ? err(entry.value.problem) : ok(entry.value);
}

function decodeEntry(given: unknown, name: string): Result<IndexEntry> {
  if (!isJsonObject(given)) return err(`its "${name}" is missing or not an object`);
  const value = inGoSpelling(given);
  const digestText = value['digest'] ?? '';
  const size = value['size'] ?? 0;
  if (typeof digestText !== 'string') return err(`its "${name}.digest" is not text`);
  if (!isInt64(size)) return err(`its "${name}.size" is not a whole number`);
  const urls = Array.isArray(value['urls']) ? value['urls'].filter((url) => typeof url === 'string') : [];
  const mediaType = typeof value['mediaType'] === 'string' ? value['mediaType'] : '';
  const written = isJsonObject(value['platform']) ? writtenPlatform(value['platform']) : undefined;
  const platform = written === undefined ? undefined : normalizePlatform(written);
  const rest = { mediaType, size, urls, platform, ...(written === undefined ? {} : { written }) };
  const digest = parseDigest(digestText);
  const unread = (problem: string): Result<IndexEntry> => ok({ ...rest, digest: undefined, problem });
  if (!digest.ok) return unread(`its "${name}.digest" is no digest (${digest.error})`);
  // beyond 2^53 it is not exact any more, and no content's
  return Number.isSafeInteger(size) ? ok({ ...rest, digest: digest.value }) : unread(`its "${name}.size" is too large`);
}

/** What Go reads as a size. */
function isInt64(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

function decodePlatform(given: unknown): Platform | undefined {
  return isJsonObject(given) ? normalizePlatform(writtenPlatform(given)) : undefined;
}

function writtenPlatform(given: JsonObject): Platform {
  const value = inGoSpelling(given);
  const text = (key: string): string | undefined => (typeof value[key] === 'string' ? value[key] : undefined);
  return {
    os: text('os') ?? '',
    architecture: text('architecture') ?? '',
    variant: text('variant'),
    osVersion: text('os.version'),
    osFeatures: osFeaturesOf(value),
  };
}

function osFeaturesOf(platform: JsonObject): readonly string[] {
  const features = platform['os.features'];
  return Array.isArray(features) ? features.filter((one) => typeof one === 'string').slice(0, MAX_ENTRIES) : [];
}

/** Reads an image config; what is no JSON object fails, as it fails every runtime. `null` is one without members to Go. */
export function decodeImageConfig(bytes: Uint8Array): Result<ImageConfig> {
  const document = isNull(bytes) ? ok<JsonObject>({}) : parseObject(bytes);
  if (!document.ok) return document;
  const rootfs = document.value['rootfs'];
  const listed = isJsonObject(rootfs) ? inGoSpelling(rootfs)['diff_ids'] : undefined;
  const diffIds = Array.isArray(listed) ? listed : [];
  const oddity = configOddityOf(document.value);
  return ok({
    platform: decodePlatform(document.value) ?? normalizePlatform({ os: '', architecture: '' }),
    diffIds: diffIds.filter((id) => typeof id === 'string').slice(0, MAX_ENTRIES + 1),
    ...(oddity === undefined ? {} : { oddity }),
  });
}

const isNull = (bytes: Uint8Array): boolean => bytes.length < 100 && Buffer.from(bytes).toString().trim() === 'null';

function parseObject(bytes: Uint8Array): Result<JsonObject> {
  let value: unknown;
  try {
    // Go's encoding/json takes no byte order mark, and without this option the decoder would swallow it
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    value = DECIMAL_SIZE.test(text) ? JSON.parse(text, keepDecimalSize) : JSON.parse(text);
  } catch {
    return err('it is not JSON');
  }
  return isJsonObject(value) ? ok(inGoSpelling(value)) : err('it is not a JSON object');
}

/** 7.0 and 7e0 are whole numbers to JSON.parse, and none to Go. Most texts have no such thing. */
const DECIMAL_SIZE = /"size"\s*:\s*-?\d+[.e]/iu;

/** The third argument has the text of a number as `source`, of which TypeScript's library does not know yet. */
function keepDecimalSize(key: string, value: unknown, ...[context]: readonly unknown[]): unknown {
  if (typeof value !== 'number' || key.toLowerCase() !== 'size' || !isJsonObject(context)) return value;
  const { source } = context;
  return typeof source === 'string' && /[.e]/iu.test(source) ? source : value;
}

const FIELDS: ReadonlyMap<string, string> = new Map(
  (
    'mediaType fsLayers manifests config layers digest size urls platform ' +
    'os architecture variant os.version os.features rootfs diff_ids'
  )
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

const spelled = (name: string): string => FIELDS.get(name.toLowerCase()) ?? name;

/** Go's encoding/json heeds no case in the names of fields. */
function inGoSpelling(value: JsonObject): JsonObject {
  if (Object.keys(value).every((name) => spelled(name) === name)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [spelled(name), member]));
}

/** Anything but `null` is there, even an empty list. A `null` is to containerd, but not to docker: an oddity. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
