import { parseReference, type ImageReference } from '../../image/reference.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { quote } from '../../outcome/printable.ts';
import type { Refusal } from '../certificates.ts';
import type { NodeSetup } from '../settings.ts';
import type { Registries } from './registries.ts';

/**
 * The full names that a short name may stand for, in the order in which CRI-O tries them (pull-parity E12,
 * containers/image pkg/shortnames `Resolve`): its alias, else one for each unqualified-search registry. `mode` is
 * crio.conf's `short_name_mode`: CRI-O always sets it, so that the library never reads that of registries.conf.
 */
export function resolveShortName(
  reference: ImageReference,
  registries: Registries,
  mode: NodeSetup['crio']['shortNameMode'],
): Result<readonly ImageReference[], Refusal> {
  const name = withTag(reference);
  const repository = shortRepository(reference);
  const alias = registries.aliases.get(repository) ?? '';
  if (alias !== '') return parseAll([`${alias}${name.slice(repository.length)}`], reference);
  const hosts = registries.unqualifiedSearch;
  const file = registries.searchFile;
  if (hosts.length === 0) {
    return err({
      reason: `short-name ${quote(name, 200)} did not resolve to an alias and no unqualified-search registries are defined in ${quote(file, 200)}`,
      file,
      rule: { name: 'short-name-unresolved', subject: name, line: registries.searchLine },
    });
  }
  if (hosts.length > 1 && mode !== 'disabled') {
    const rule = { name: 'short-name-ambiguous', subject: name, line: registries.searchLine } as const;
    return err({
      reason: `short name mode is enforcing, but image name ${name} returns ambiguous list`,
      file,
      rule: mode === undefined ? { ...rule, isAssumed: true } : rule,
    });
  }
  return parseAll(
    hosts.map((host) => `${host}/${name}`),
    reference,
  );
}

/** What the kubelet sends: the image as written, with `:latest` where it has neither tag nor digest (pull-parity A7). */
function withTag(reference: ImageReference): string {
  const isBare = reference.original === shortRepository(reference);
  return isBare ? `${reference.original}:latest` : reference.original;
}

/** The short name without tag and digest, and without the `library/` of Docker Hub that nobody wrote. */
function shortRepository(reference: ImageReference): string {
  return reference.original.split('@', 1)[0]?.split(':', 1)[0] ?? '';
}

function parseAll(names: readonly string[], short: ImageReference): Result<readonly ImageReference[], Refusal> {
  const references: ImageReference[] = [];
  for (const name of names) {
    const parsed = parseReference(name);
    if (!parsed.ok) return err({ reason: parsed.error, file: '' });
    references.push({ ...parsed.value, original: short.original });
  }
  return ok(references);
}
