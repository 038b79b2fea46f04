import { parseDigest, type Digest } from './digest.ts';
import { inGoSpelling } from './go-json.ts';
import { isJsonObject } from './json.ts';
import { normalizePlatform, type Platform } from './platform.ts';
import { err, ok, type Result } from './result.ts';
import { writtenPlatform } from './written-platform.ts';

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

/** Reads what stands at `name` of a document, which an error names. */
export function decodeDescriptor(value: unknown, name: string): Result<Descriptor> {
  const entry = decodeEntry(value, name);
  if (!entry.ok) return entry;
  return entry.value.digest === undefined ? err(entry.value.problem) : ok(entry.value);
}

/** The same for an index, of which nobody follows every entry. */
export function decodeEntry(given: unknown, name: string): Result<IndexEntry> {
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
