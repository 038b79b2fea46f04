import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

/** PEM texts: SPKI and PKCS#8. */
export type KeyPair = { readonly publicKey: string; readonly privateKey: string };

/** Where new keys come from. */
export type KeySource = () => Promise<KeyPair>;

const generate = promisify(generateKeyPair);

/** RSA 2048, because node-forge knows no other keys; made by OpenSSL off the event loop, in about a tenth of a second. */
export function generateRsaPair(): Promise<KeyPair> {
  return generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}
