import { parseDigest, type Digest } from './digest.ts';
import { err, ok, type Result } from './result.ts';

/**
 * An image reference, read as the kubelet and containerd read it (distribution/reference, `ParseDockerRef`).
 * `host` and `path` are normalised (`nginx` is `docker.io` and `library/nginx`), `tag` is `latest` where neither
 * tag nor digest was written; with both, the digest is what every runtime pulls.
 */
export type ImageReference = {
  readonly original: string;
  readonly host: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
  /** No registry was written, or none that CRI-O takes for one: it may resolve such a name elsewhere. */
  readonly isShortName: boolean;
};

/** A path of 255 characters, a tag of 128 and a digest of 136, with a host as long as DNS allows and its port. */
const MAX_REFERENCE_LENGTH = 255 + 128 + 136 + 253 + 16;
const MAX_PATH_LENGTH = 255;

const HOST =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/u;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/u;
const TAG = /^\w[\w.-]{0,127}$/u;
/** What the grammar takes for a digest before anybody asks whether it is one. */
const DIGEST_SHAPE = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/u;
const BARE_IDENTIFIER = /^[a-f0-9]{64}$/u;
const FORMAT = 'invalid reference format';

/** Whether `text` can be a tag. */
export function isTag(text: string): boolean {
  return text.length <= 128 && TAG.test(text);
}

/** Reads `text`; the error is the sentence that the kubelet's own parser ends in. Linear in the length of `text`. */
export function parseReference(text: string): Result<ImageReference> {
  if (text === '') return err(`${FORMAT}: the image is empty`);
  if (text.length > MAX_REFERENCE_LENGTH) return err(overlong(text));
  if (BARE_IDENTIFIER.test(text)) {
    return err(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const split = splitHost(text);
  const remote = inLibrary(split.host, cutAt(split.rest, ':'));
  if (remote !== remote.toLowerCase()) return err(`${FORMAT}: repository name (${remote}) must be lowercase`);

  const at = split.rest.indexOf('@');
  const named = at < 0 ? split.rest : split.rest.slice(0, at);
  const digestText = at < 0 ? undefined : split.rest.slice(at + 1);
  const remainder = cutAt(named, ':');
  const tag = remainder === named ? undefined : named.slice(remainder.length + 1);
  // a first segment that is no DNS name but a sound path component is taken too, as part of the path: `ex_ample.com/app`
  const isHost = HOST.test(split.host);
  if (!isHost && !PATH_COMPONENT.test(split.host)) return err(FORMAT);

  const path = inLibrary(split.host, remainder);
  if (!path.split('/').every((component) => PATH_COMPONENT.test(component))) return err(FORMAT);
  if (path.length + (isHost ? 0 : split.host.length + 1) > MAX_PATH_LENGTH) {
    return err(`repository name must not be more than ${MAX_PATH_LENGTH} characters`);
  }
  if (tag !== undefined && !TAG.test(tag)) return err(FORMAT);

  const { host } = split;
  const isShortName = split.isShortName || !isHost;
  if (digestText === undefined) {
    return ok({ original: text, host, path, tag: tag ?? 'latest', digest: undefined, isShortName });
  }
  if (!DIGEST_SHAPE.test(digestText)) return err(FORMAT);
  const digest = parseDigest(digestText);
  if (!digest.ok) return err(digest.error);
  return ok({ original: text, host, path, tag, digest: digest.value, isShortName });
}

/** Docker Hub's own images need not name their namespace. */
function inLibrary(host: string, path: string): string {
  return host === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
}

function cutAt(text: string, separator: string): string {
  const at = text.indexOf(separator);
  return at < 0 ? text : text.slice(0, at);
}

/** `splitDockerDomain`: the first segment is a host only where it has a dot, a colon, an upper-case letter, or is `localhost`. */
function splitHost(text: string): { host: string; rest: string; isShortName: boolean } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isHost =
    slash >= 0 &&
    (first === 'localhost' || first.includes('.') || first.includes(':') || first !== first.toLowerCase());
  if (!isHost) return { host: 'docker.io', rest: text, isShortName: true };
  return { host: first === 'index.docker.io' ? 'docker.io' : first, rest: text.slice(slash + 1), isShortName: false };
}

function overlong(text: string): string {
  const longest = text.slice(text.indexOf('/') + 1, text.indexOf('/') + 1 + MAX_PATH_LENGTH + 2);
  return longest.length > MAX_PATH_LENGTH && /^[a-z0-9._/-]+$/u.test(longest)
    ? `repository name must not be more than ${MAX_PATH_LENGTH} characters`
    : `${FORMAT}: more than ${MAX_REFERENCE_LENGTH} characters`;
}

/** The reference in full, as runtimes and Node.status.images write it: `docker.io/library/nginx:1.25`. */
export function canonicalName(reference: ImageReference): string {
  const name = `${reference.host}/${reference.path}`;
  return reference.digest === undefined ? `${name}:${reference.tag ?? 'latest'}` : `${name}@${reference.digest}`;
}

/** What is asked of the registry: the digest where there is one, else the tag. */
export function manifestKey(reference: ImageReference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}
