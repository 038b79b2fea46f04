import { isDefaultRegistry, HUB_INDEX, matchTargetOf, parseKey, type ImageName } from './match.ts';
import { parseLocation } from './location.ts';

/** A key as somebody wrote it, beside the image that it was meant for. */
type Pair = { readonly key: string; readonly image: ImageName };

/** Undoes one mistake, on the side where it was made; `undefined` where the mistake is not there. */
type Repair = (pair: Pair) => (Pair & { readonly reason: string }) | undefined;

/** Names under which people log in to Docker Hub, none of which the kubelet takes for it (pull-parity A3, C6). */
const HUB_ALIASES: ReadonlySet<string> = new Set([
  'docker.com',
  'hub.docker.com',
  'hub.docker.io',
  'registry-1.docker.io',
  'registry.docker.io',
  'registry.hub.docker.com',
]);

/** Does the kubelet use `key` for the image, were it alone in the keyring? */
export function isKeyFor(key: string, image: ImageName): boolean {
  const pattern = parseKey(key);
  if (pattern === undefined) return false;
  return pattern.matches(matchTargetOf(image)) || (pattern.index === HUB_INDEX && isDefaultRegistry(image.host));
}

/**
 * Why a key that does not match the image nearly does, as a clause that completes "it does not match because ...";
 * `undefined` where the two have little in common. Mistakes of spelling may come together, those of scope alone.
 */
export function explainNearMiss(key: string, image: ImageName): string | undefined {
  const pair = { key, image };
  for (const repair of [...SPELLING, ...SCOPE]) {
    const repaired = repair(pair);
    if (repaired !== undefined && isKeyFor(repaired.key, repaired.image)) return repaired.reason;
  }
  let current: Pair = pair;
  const reasons: string[] = [];
  for (const repair of SPELLING) {
    const repaired = repair(current);
    if (repaired === undefined) continue;
    current = repaired;
    reasons.push(repaired.reason);
    if (isKeyFor(current.key, current.image)) return reasons.join(', and ');
  }
  return undefined;
}

const SPELLING: readonly Repair[] = [
  ({ key, image }) => {
    const trimmed = key.trim();
    return trimmed === key ? undefined : { key: trimmed, image, reason: 'it has white space around it' };
  },
  ({ key, image }) => {
    const scheme = /^(?:[a-z][a-z0-9+.-]{0,15}:)?\/{1,3}/iu.exec(key)?.[0];
    if (scheme === undefined || scheme === 'http://' || scheme === 'https://') return undefined;
    const reason = `${scheme} at its beginning is not taken off, only http:// and https:// are`;
    return { key: key.slice(scheme.length), image, reason };
  },
  ({ key, image }) => {
    const version = /\/v[12]$/iu.exec(key)?.[0];
    if (version === undefined) return undefined;
    const reason = `${version} without a slash after it is taken for a path`;
    return { key: key.slice(0, -version.length), image, reason };
  },
  ({ key, image }) => {
    const written = parseLocation(withoutScheme(key));
    const bare = written?.path.replace(/[:@][^/]*$/u, '');
    if (written === undefined || bare === undefined || bare === written.path) return undefined;
    const reason = 'it has a tag or digest, and keys name repositories only';
    return { key: written.host + bare, image, reason };
  },
  ({ key, image }) => {
    const written = parseLocation(withoutScheme(key));
    const star = written?.path.indexOf('*') ?? -1;
    if (written === undefined || star < 0) return undefined;
    const reason = 'a wildcard means nothing in a path';
    return { key: written.host + written.path.slice(0, star), image, reason };
  },
  ({ key, image }) => {
    const lower = { key: key.toLowerCase(), image: { host: image.host.toLowerCase(), path: image.path } };
    if (lower.key === key && lower.image.host === image.host) return undefined;
    return { ...lower, reason: 'upper and lower case differ' };
  },
  ({ key, image }) => {
    const written = parseLocation(withoutScheme(key));
    if (written === undefined || image.host !== 'docker.io' || !HUB_ALIASES.has(written.host)) return undefined;
    const reason = 'Docker Hub is docker.io or https://index.docker.io/v1/ to the kubelet';
    return { key: 'docker.io', image, reason };
  },
  ({ key, image }) => {
    if (!HUB_ALIASES.has(image.host)) return undefined;
    const reason = `the image names ${image.host}, which is not Docker Hub to the kubelet`;
    return { key, image: { host: 'docker.io', path: image.path }, reason };
  },
  ({ key, image }) => {
    const written = parseLocation(withoutScheme(key));
    if (written === undefined) return undefined;
    const [wanted, given] = [portOf(image.host), portOf(written.host)];
    if (wanted === given) return undefined;
    const host = written.host.slice(0, written.host.length - given.length) + wanted;
    return { key: host + written.path, image, reason: explainPort(given, wanted) };
  },
];

const SCOPE: readonly Repair[] = [
  ({ key, image }) => {
    const written = parseLocation(withoutScheme(key));
    if (written === undefined || !written.host.includes('*')) return undefined;
    const labels = written.host.split('.');
    const given = image.host.split('.');
    const rest = labels.slice(labels.findLastIndex((label) => label.includes('*')) + 1);
    const isSuffix = rest.every((label, at) => label === given[given.length - rest.length + at]);
    if (labels.length === given.length || given.length < rest.length || !isSuffix) return undefined;
    const reason = `a wildcard stands for one label: it has ${labels.length} of them, the image's registry ${given.length}`;
    return { key: image.host + written.path, image, reason };
  },
  ({ key, image }) => {
    const written = parseLocation(withoutScheme(key));
    if (written === undefined) return undefined;
    const reason = `the repository ${image.path} does not begin with its path`;
    return { key: written.host, image, reason };
  },
];

function explainPort(given: string, wanted: string): string {
  if (given === '') return `it lacks the port ${wanted}`;
  const shown = given.slice(0, 6);
  if (wanted === '') return `it has the port ${shown} and the image's name has none`;
  return `its port is ${shown} and not ${wanted}`;
}

function portOf(host: string): string {
  return /:[0-9]*$/u.exec(host)?.[0] ?? '';
}

function withoutScheme(key: string): string {
  return key.replace(/^https?:\/\//u, '');
}
