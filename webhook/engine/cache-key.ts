import type { Credential } from '../credentials/credential.ts';
import type { IdentityHasher } from '../credentials/identity.ts';
import { formatPlatform } from '../image/platform.ts';
import { manifestKey, type ImageReference } from '../image/reference.ts';
import type { PlatformChoice } from '../outcome/prediction.ts';

export type KeyParts = {
  readonly reference: ImageReference;
  readonly logins: readonly Credential[];
  readonly platforms: PlatformChoice;
  readonly namespace?: string;
};

/** Everything that an answer hangs on within one policy, the logins as HMACs: never a byte of a secret (design, part 5). */
export function cacheKey({ reference, logins, platforms, namespace }: KeyParts, hashIdentity: IdentityHasher): string {
  const parts = [
    [reference.host, reference.path, reference.tag ?? '', manifestKey(reference)],
    // CRI-O looks short names up as they are written
    [reference.isShortName ? reference.original : ''],
    // which secret a login came from is in the message, so it is in the key
    logins.map((login) => [hashIdentity(login), login.secret, login.key]),
    // only where nodes judge the images of that namespace by a policy of its own
    [namespace ?? ''],
    [platforms.isFixed, ...platforms.platforms.map((one) => [formatPlatform(one), one.osVersion ?? ''])],
  ];
  return JSON.stringify(parts);
}
