import { setTimeout as sleep } from 'node:timers/promises';
import { readText } from '../webhook/file/read-text.ts';
import { err, ok, type Result } from '../webhook/image/result.ts';
import { isPair } from './material.ts';
import { lifeOf } from './rotation.ts';
import {
  createPairHolder,
  type CertificateEvent,
  type ServingCertificate,
  type ServingPair,
} from './serving-certificate.ts';

export type FileCertificateOptions = {
  readonly onEvent: (event: CertificateEvent) => void;
  /** Files are compared rather than watched: a mounted Secret changes by a symbolic link. Default 5 s. */
  readonly pollMs?: number;
  readonly now?: () => number;
};

const POLL_MS = 5_000;

/**
 * A certificate that the operator brings, read again whenever the files change. A half-written, foreign or expired
 * pair is reported once and not taken: the last good one stays. `start` rejects where the first one is no good.
 */
export function loadFromFiles(certFile: string, keyFile: string, options: FileCertificateOptions): ServingCertificate {
  const { onEvent, pollMs = POLL_MS, now = Date.now } = options;
  const holder = createPairHolder();
  const closing = new AbortController();
  let reported: string | undefined;
  let running: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const read = readPair(certFile, keyFile, now());
    if (read.ok) {
      reported = undefined;
      if (holder.take(read.value)) onEvent({ kind: 'rotated', reason: `${certFile} has changed` });
    } else if (read.error !== reported) {
      reported = read.error;
      onEvent({ kind: 'failed', reason: `${read.error}; the last good certificate stays` });
    }
  };
  const poll = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await sleep(pollMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (!closing.signal.aborted) await look();
    }
  };
  return {
    current: holder.current,
    onChange: holder.onChange,
    async start(signal) {
      signal.throwIfAborted();
      const first = readPair(certFile, keyFile, now());
      if (!first.ok) throw new Error(first.error);
      holder.take(first.value);
      running ??= poll();
      return first.value;
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

function readPair(certFile: string, keyFile: string, nowMs: number): Result<ServingPair> {
  const [cert, key] = [readText(certFile), readText(keyFile)];
  if (!cert.ok) return err(`${certFile} cannot be read: ${cert.error}`);
  if (!key.ok) return err(`${keyFile} cannot be read: ${key.error}`);
  if (!CERTIFICATE.test(cert.value)) return err(`${certFile} holds no certificate in PEM`);
  if (!KEY.test(key.value)) return err(`${keyFile} holds no private key in PEM`);
  if (ENCRYPTED.test(key.value)) return err(`the key in ${keyFile} is encrypted: give one without a passphrase`);
  if (!isPair({ certificate: cert.value, key: key.value }))
    return err(`${keyFile} is no key that belongs to the certificate in ${certFile}`);
  const { endMs } = lifeOf(cert.value);
  if (endMs <= nowMs)
    return err(`the certificate in ${certFile} expired on ${new Date(endMs).toISOString().slice(0, 10)}`);
  return ok({ cert: cert.value, key: key.value, ca: undefined, expiresAtMs: endMs });
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/u;
const KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/u;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/mu;
