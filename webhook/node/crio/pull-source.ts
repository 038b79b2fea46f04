import { parseReference, type ImageReference } from '../../image/reference.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { quote } from '../../outcome/printable.ts';
import { isRegistryHost } from './registry-host.ts';
import { matchPrefix, type Registries } from './registries.ts';
import type { Mirror } from './registry.ts';

/** Where CRI-O looks for an image, and under which name there. */
export type PullSource = {
  readonly reference: ImageReference;
  readonly isInsecure: boolean;
  readonly serves: Mirror['serves'];
  readonly role: 'mirror' | 'upstream';
};

/** The mirrors that serve such a reference, then the registry itself (`PullSourcesFromReference`, pull-parity E11). */
export function pullSources(
  reference: ImageReference,
  registry: Registries['registries'][number]['registry'],
): Result<readonly PullSource[]> {
  const unwanted = reference.digest === undefined ? 'digest-only' : 'tag-only';
  const sources: PullSource[] = [];
  for (const mirror of registry.mirrors) {
    if (mirror.serves === unwanted) continue;
    const rewritten = rewrite(reference, registry.prefix, mirror.location);
    if (!rewritten.ok) return rewritten;
    sources.push({ reference: rewritten.value, isInsecure: mirror.isInsecure, serves: mirror.serves, role: 'mirror' });
  }
  const rewritten = rewrite(reference, registry.prefix, registry.location);
  if (!rewritten.ok) return rewritten;
  sources.push({ reference: rewritten.value, isInsecure: registry.isInsecure, serves: 'all', role: 'upstream' });
  return ok(sources);
}

/** What prefixes are compared with: a prefix with a tag matches nothing, whatever the manual says (`FindRegistry`). */
export const nameOf = (reference: ImageReference): string => `${reference.host}/${reference.path}`;

/** The full name: `docker.io/library/nginx:1.25`. */
export function fullName(reference: ImageReference): string {
  const name = nameOf(reference);
  return reference.digest === undefined ? `${name}:${reference.tag ?? 'latest'}` : `${name}@${reference.digest}`;
}

function rewrite(reference: ImageReference, prefix: string, location: string): Result<ImageReference> {
  if (location === '') return ok(reference);
  const name = fullName(reference);
  const text = `${location}${name.slice(matchPrefix(name, prefix) ?? 0)}`;
  const parsed = parseReference(text);
  const isNamed = isRegistryHost(text.split('/', 1)[0] ?? '');
  // as ParseNamed has it, the new name must be in full: no `docker.io/nginx`, no name without a registry
  if (!parsed.ok || !isNamed || fullName(parsed.value) !== text) {
    const why = parsed.ok ? 'repository name must be canonical' : parsed.error;
    return err(`rewriting reference ${quote(name, 200)} to ${quote(text, 200)}: ${why}`);
  }
  return ok({ ...parsed.value, original: reference.original });
}
