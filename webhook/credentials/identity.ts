import { createHmac } from 'node:crypto';
import type { Credential } from './credential.ts';

export type IdentityHasher = (credential: Pick<Credential, 'username' | 'password'> | undefined) => string;

/** Separates these hashes from whatever else may ever be made with the same key. */
const DOMAIN = 'pullguard/registry-identity/1';
const MIN_KEY_BYTES = 16;

/**
 * Names a login for the cache without giving it away: HMAC-SHA256 in hex over user and password, under a key of this
 * process. Every login without a username is `anonymous`. Throws `RangeError` for a key shorter than 16 bytes.
 */
export function createIdentityHasher(key: Uint8Array): IdentityHasher {
  if (key.length < MIN_KEY_BYTES) throw new RangeError(`the key has ${key.length} bytes, less than ${MIN_KEY_BYTES}`);
  const ownKey = Uint8Array.from(key);
  return (credential) => {
    if (credential === undefined || credential.username === '') return 'anonymous';
    const hmac = createHmac('sha256', ownKey);
    for (const field of [DOMAIN, credential.username, credential.password]) {
      const bytes = Buffer.from(field, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      hmac.update(length).update(bytes);
    }
    return hmac.digest('hex');
  };
}
