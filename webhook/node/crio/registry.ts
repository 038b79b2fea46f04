import { err, ok, type Result } from '../../image/result.ts';
import { quote } from '../../outcome/printable.ts';
import { mistake, type Mistake } from '../mistakes/mistake.ts';
import { readFlag, readTables, readText, type Table, withKnownKeys } from '../mistakes/shape.ts';

/** One `[[registry]]` of registries.conf (containers-registries.conf(5)). */
export type Registry = {
  /** What of an image's full name it stands for: `docker.io`, `reg.example/team`, `*.example.com`. */
  readonly prefix: string;
  /** What replaces the prefix; `''` only with a `*.` prefix, and then nothing is replaced. */
  readonly location: string;
  readonly isInsecure: boolean;
  readonly isBlocked: boolean;
  readonly mirrors: readonly Mirror[];
};

export type Mirror = {
  readonly location: string;
  readonly isInsecure: boolean;
  readonly serves: 'all' | 'digest-only' | 'tag-only';
};

const MIRROR_KEYS = ['location', 'insecure', 'pull-from-mirror'];
const REGISTRY_KEYS = [...MIRROR_KEYS, 'prefix', 'blocked', 'mirror', 'mirror-by-digest-only'];

/** Reads one table with the checks of containers/image `postProcessRegistries`; `''` and absent are the same there. */
export function decodeRegistry(written: Table): Result<Registry, Mistake> {
  const table = withKnownKeys(written, REGISTRY_KEYS);
  const prefix = readLocation(table, 'prefix');
  if (!prefix.ok) return prefix;
  const location = readLocation(table, 'location');
  if (!location.ok) return location;
  const name = prefix.value === '' ? location.value : prefix.value;
  if (name === '') return err(mistake('expected a location or a prefix in every [[registry]]', '[[registry]]'));
  if (location.value === '' && !name.startsWith('*.')) {
    return err(
      mistake(`expected a location beside the prefix ${quote(name, 80)}, or a prefix such as *.example.com`, name),
    );
  }
  if (name.startsWith('*.') && /[/@:]/u.test(name)) {
    return err(mistake(`expected the prefix ${quote(name, 80)} to be *.example.com, without port or path`, name));
  }
  const isInsecure = readFlag(table, 'insecure');
  if (!isInsecure.ok) return isInsecure;
  const isBlocked = readFlag(table, 'blocked');
  if (!isBlocked.ok) return isBlocked;
  const isByDigestOnly = readFlag(table, 'mirror-by-digest-only');
  if (!isByDigestOnly.ok) return isByDigestOnly;
  if ((table['pull-from-mirror'] ?? '') !== '') {
    return err(
      mistake('expected pull-from-mirror in a [[registry.mirror]], not in a [[registry]]', name, 'pull-from-mirror'),
    );
  }
  const tables = readTables(table, 'mirror');
  if (!tables.ok) return tables;
  const mirrors: Mirror[] = [];
  for (const one of tables.value ?? []) {
    const mirror = decodeMirror(one, isByDigestOnly.value ?? false);
    if (!mirror.ok) return err({ ...mirror.error, at: [name, ...mirror.error.at] });
    mirrors.push(mirror.value);
  }
  return ok({
    prefix: name,
    location: location.value,
    isInsecure: isInsecure.value ?? false,
    isBlocked: isBlocked.value ?? false,
    mirrors,
  });
}

function decodeMirror(written: Table, isByDigestOnly: boolean): Result<Mirror, Mistake> {
  const table = withKnownKeys(written, MIRROR_KEYS);
  const location = readLocation(table, 'location');
  if (!location.ok) return location;
  if (location.value === '')
    return err(mistake('expected a location in every [[registry.mirror]]', '[[registry.mirror]]'));
  const isInsecure = readFlag(table, 'insecure');
  if (!isInsecure.ok) return isInsecure;
  const serves = readText(table, 'pull-from-mirror');
  if (!serves.ok) return serves;
  const value = serves.value ?? '';
  if (isByDigestOnly && value !== '') {
    return err(mistake('expected either mirror-by-digest-only or pull-from-mirror, not both', 'pull-from-mirror'));
  }
  if (value !== '' && value !== 'all' && value !== 'digest-only' && value !== 'tag-only') {
    const expected = `expected pull-from-mirror to be all, digest-only or tag-only, not ${quote(value, 40)}`;
    return err(mistake(expected, 'pull-from-mirror'));
  }
  const fallback = isByDigestOnly ? 'digest-only' : 'all';
  return ok({
    location: location.value,
    isInsecure: isInsecure.value ?? false,
    serves: value === '' ? fallback : value,
  });
}

function readLocation(table: Table, key: string): Result<string, Mistake> {
  const text = readText(table, key);
  if (!text.ok) return text;
  const trimmed = (text.value ?? '').replace(/\/+$/u, '');
  if (/^https?:\/\//u.test(trimmed)) {
    return err(mistake(`expected ${key} without a scheme: host[:port][/path]`, trimmed));
  }
  return ok(trimmed);
}
