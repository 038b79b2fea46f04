import { generateRsaPair, type KeyPair, type KeySource } from '../../certs/key-pair.ts';

/** As many as one test needs to be different. */
const SIZE = 4;
const ring: Promise<KeyPair>[] = [];

/** The same four keys in turn, each made when it is first wanted: making keys is what takes time. */
export function createKeyRing(): KeySource {
  let handedOut = 0;
  return () => {
    const at = handedOut % SIZE;
    handedOut += 1;
    return (ring[at] ??= generateRsaPair());
  };
}
