import { inGoSpelling, parseObject } from './go-json.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { configOddityOf } from './oddity.ts';
import { normalizePlatform, type Platform } from './platform.ts';
import { ok, type Result } from './result.ts';
import { writtenPlatform } from './written-platform.ts';

/** The part of an image's config that a pull looks at. */
export type ImageConfig = {
  readonly platform: Platform;
  readonly diffIds: readonly string[];
  /** What containerd does not read in it, once it has pulled all the rest. */
  readonly oddity?: string;
};

/** Far above any real image: overlayfs mounts at most 500 layers. */
const MAX_LAYERS = 2048;

/** Reads an image config; what is no JSON object fails, as it fails every runtime. `null` is one without members to Go. */
export function decodeImageConfig(bytes: Uint8Array): Result<ImageConfig> {
  const document = isNull(bytes) ? ok<JsonObject>({}) : parseObject(bytes);
  if (!document.ok) return document;
  const rootfs = document.value['rootfs'];
  const listed = isJsonObject(rootfs) ? inGoSpelling(rootfs)['diff_ids'] : undefined;
  const diffIds = Array.isArray(listed) ? listed : [];
  const oddity = configOddityOf(document.value);
  return ok({
    platform: normalizePlatform(writtenPlatform(document.value)),
    diffIds: diffIds.filter((id) => typeof id === 'string').slice(0, MAX_LAYERS + 1),
    ...(oddity === undefined ? {} : { oddity }),
  });
}

const isNull = (bytes: Uint8Array): boolean => bytes.length < 100 && Buffer.from(bytes).toString().trim() === 'null';
