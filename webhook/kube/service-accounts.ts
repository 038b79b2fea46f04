import type { KubeApi } from './api.ts';
import { readApiFailure } from './failure.ts';
import { isObjectName } from './object-name.ts';
import { DEFAULT_SECRET_READER_OPTIONS, MAX_TTL_MS, type SecretReaderOptions } from './secrets.ts';
import { createSharedRead } from './shared-read.ts';

export type ServiceAccountRead =
  /** The names in the order of the object; an empty one is kept (pull-parity C1). */
  | { readonly kind: 'found'; readonly imagePullSecrets: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface ServiceAccountReader {
  /** By name only. Never rejects: an aborted signal ends as `unavailable`. */
  read(namespace: string, name: string, signal: AbortSignal): Promise<ServiceAccountRead>;
}

const UNAVAILABLE_TTL_MS = 1_000;
const MAX_ENTRIES = 1_024;

/** Takes the same options as the reader of Secrets, with the same defaults. */
export function createServiceAccountReader(
  api: KubeApi,
  options: Partial<SecretReaderOptions> = {},
): ServiceAccountReader {
  const { timeoutMs, ttlMs, negativeTtlMs, now } = { ...DEFAULT_SECRET_READER_OPTIONS, ...options };
  if (Math.max(ttlMs, negativeTtlMs) > MAX_TTL_MS) {
    throw new TypeError(`service accounts may be kept for ${MAX_TTL_MS} ms at most`);
  }
  const core = api.core(timeoutMs);
  const shared = createSharedRead<ServiceAccountRead>({
    maxEntries: MAX_ENTRIES,
    now,
    ttlMs: (read) => {
      if (read.kind === 'unavailable') return UNAVAILABLE_TTL_MS;
      return read.kind === 'found' ? ttlMs : negativeTtlMs;
    },
    load: async (key) => {
      const [namespace = '', name = ''] = key.split('/');
      try {
        const account = await core.readNamespacedServiceAccount({ namespace, name });
        return { kind: 'found', imagePullSecrets: (account.imagePullSecrets ?? []).map((secret) => secret.name ?? '') };
      } catch (error) {
        return readApiFailure(error);
      }
    },
  });
  return {
    async read(namespace, name, signal) {
      if (!isObjectName(namespace, name)) return { kind: 'missing' };
      try {
        return await shared(`${namespace}/${name}`, signal);
      } catch {
        return { kind: 'unavailable', reason: 'did not answer before the review had to end' };
      }
    },
  };
}
