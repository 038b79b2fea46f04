import type { V1Secret } from '@kubernetes/client-node';
import type { KubeApi } from './api.ts';
import { readApiFailure } from './failure.ts';
import { isObjectName } from './object-name.ts';
import { createSharedRead } from './shared-read.ts';

/** A Secret as the API gives it, values decoded from base64 as UTF-8. */
export type KubeSecret = {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
};

export type SecretRead =
  | { readonly kind: 'found'; readonly secret: KubeSecret }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' }
  /** `reason` completes "the API server ...": `answered 500`. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface SecretReader {
  /** By name only, never a list. Never rejects: an aborted signal ends as `unavailable`. */
  read(namespace: string, name: string, signal: AbortSignal): Promise<SecretRead>;
}

export type SecretReaderOptions = {
  /** Deadline of one read; a function is asked at each. */
  readonly timeoutMs: number | (() => number);
  /** How long a Secret may serve; at most {@link MAX_TTL_MS}. */
  readonly ttlMs: number;
  /** The same for `missing` and `forbidden`; the Secret may come with the same apply. At most {@link MAX_TTL_MS}. */
  readonly negativeTtlMs: number;
  readonly now: () => number;
};

export const DEFAULT_SECRET_READER_OPTIONS: SecretReaderOptions = Object.freeze({
  /** A part of the review's budget of 3.5 s. */
  timeoutMs: 1_000,
  /** Who repairs a Secret and tries again at once is not to be judged by the old one. */
  ttlMs: 5_000,
  negativeTtlMs: 2_000,
  now: () => performance.now(),
});

/** A Secret that was rotated or revoked must not count for longer. */
export const MAX_TTL_MS = 30_000;
/** One failing API server is asked once in this time for each Secret, not by every review. */
const UNAVAILABLE_TTL_MS = 1_000;
/** With the entries below, at most 16 MiB are kept; a Secret may have 1 MiB, one with logins has a few KiB. */
const MAX_KEPT_BYTES = 64 * 1024;
const MAX_ENTRIES = 256;

export function createSecretReader(api: KubeApi, options: Partial<SecretReaderOptions> = {}): SecretReader {
  const { timeoutMs, ttlMs, negativeTtlMs, now } = { ...DEFAULT_SECRET_READER_OPTIONS, ...options };
  if (Math.max(ttlMs, negativeTtlMs) > MAX_TTL_MS) {
    throw new TypeError(
      `secrets may be kept for ${MAX_TTL_MS} ms at most: ttlMs ${ttlMs}, negativeTtlMs ${negativeTtlMs}`,
    );
  }
  const core = api.core(timeoutMs);
  const shared = createSharedRead<SecretRead>({
    maxEntries: MAX_ENTRIES,
    now,
    ttlMs: (read) => {
      if (read.kind === 'found') return sizeOf(read.secret) > MAX_KEPT_BYTES ? 0 : ttlMs;
      return read.kind === 'unavailable' ? UNAVAILABLE_TTL_MS : negativeTtlMs;
    },
    load: async (key) => {
      const [namespace = '', name = ''] = key.split('/');
      try {
        return {
          kind: 'found',
          secret: decodeSecret(namespace, name, await core.readNamespacedSecret({ namespace, name })),
        };
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

/** `Object.fromEntries` keeps a key such as `__proto__` a plain key. */
function decodeSecret(namespace: string, name: string, secret: V1Secret): KubeSecret {
  const data = Object.entries(secret.data ?? {}).map(([key, value]) => [
    key,
    Buffer.from(value, 'base64').toString('utf8'),
  ]);
  return { name, namespace, type: secret.type ?? '', data: Object.fromEntries(data) };
}

const sizeOf = (secret: KubeSecret): number => Object.values(secret.data).reduce((sum, text) => sum + text.length, 0);
