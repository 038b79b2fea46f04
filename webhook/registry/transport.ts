import { createHash } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, rootCertificates, type SecureContext } from 'node:tls';
import { Pool, type Dispatcher } from 'undici';
import { err, ok, type Result } from '../image/result.ts';
import type { CertificateFacts } from '../outcome/outcome.ts';
import { probeClientCertificate, probeTls, tlsFailure, type Connect, type ConnectOptions } from './connect.ts';
import { NetworkError, type NetworkFailure } from './failure.ts';

/** Where to connect, and how far to trust what answers. */
export type WireTarget = {
  readonly scheme: 'http' | 'https';
  /** Host with port where one is written. */
  readonly authority: string;
  readonly tls: {
    readonly isVerified: boolean;
    readonly authorities: readonly string[];
    readonly clientPairs: readonly { readonly certificate: string; readonly key: string }[];
  };
  readonly dialTimeoutMs: number;
};

export type WireRequest = {
  readonly target: WireTarget;
  readonly method: 'HEAD' | 'GET' | 'POST';
  /** Path with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
};

export type WireReply = {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly headerAll: (name: string) => readonly string[];
  /** Reads up to `maxBytes` and lets the rest go. `isWhole` is false where the body was longer or was cut off. */
  readonly read: (maxBytes: number) => Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean; readonly wasCut: boolean }>;
  /** The body as it comes; a cut connection throws. */
  readonly stream: () => AsyncIterable<Uint8Array>;
  /** Ends the transfer without reading on. */
  readonly drop: () => void;
};

/** Sends a request and returns what came, or why nothing came. Never follows redirects, never throws but for bugs. */
export type Transport = {
  readonly send: (request: WireRequest, signal: AbortSignal) => Promise<Result<WireReply, NetworkFailure>>;
  /** The certificate last seen at a target. */
  readonly certificateAt: (target: WireTarget) => CertificateFacts | undefined;
  readonly close: () => Promise<void>;
};

export type TransportOptions = {
  readonly connect: Connect;
  /** Sockets to one target at a time; further requests queue. */
  readonly connectionsPerHost: number;
};

/** Targets kept connected. Each holds at most `connectionsPerHost` sockets. */
const MAX_POOLS = 256;
/** containerd's ResponseHeaderTimeout from 2.3 on; the older ones would wait for ever (pull-parity G5). */
const HEADERS_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;
/** Sockets are given back soon: a check is a burst, then silence. */
const KEEP_ALIVE_MS = 4_000;
const USER_AGENT = 'pullguard (+https://pullguard.io)';

type Entry = { readonly pool: Pool; readonly connectOptions: ConnectOptions; certificate: CertificateFacts | undefined };

export function createTransport(options: TransportOptions): Transport {
  const entries = new Map<string, Entry>();
  const contexts = new Map<string, SecureContext>();
  const lifetime = new AbortController();

  const contextFor = (tls: WireTarget['tls']): SecureContext => {
    const key = fingerprint(tls);
    const known = contexts.get(key);
    if (known !== undefined) return known;
    const context = secureContext(tls);
    contexts.set(key, context);
    return context;
  };

  const entryFor = (target: WireTarget): Entry => {
    const key = `${target.scheme}//${target.authority}/${target.dialTimeoutMs}/${target.scheme === 'https' ? fingerprint(target.tls) : ''}`;
    const known = entries.get(key);
    if (known !== undefined) {
      entries.delete(key); // the map's order is that of last use
      entries.set(key, known);
      return known;
    }
    const { host, port } = splitAuthority(target.authority, target.scheme === 'https' ? 443 : 80);
    const connectOptions: ConnectOptions = {
      host,
      port,
      tls:
        target.scheme === 'https'
          ? {
              context: contextFor(target.tls),
              isVerified: target.tls.isVerified,
              hasClientCertificate: target.tls.clientPairs.length > 0,
            }
          : undefined,
      dialTimeoutMs: target.dialTimeoutMs,
    };
    const pool = new Pool(`${target.scheme}://${target.authority}`, {
      connections: options.connectionsPerHost,
      pipelining: 1,
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      connect: (_, callback) => {
        options.connect(connectOptions, lifetime.signal).then(
          ({ socket, certificate }) => {
            entry.certificate = certificate;
            callback(null, socket);
          },
          (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
        );
      },
    });
    const entry: Entry = { pool, connectOptions, certificate: undefined };
    entries.set(key, entry);
    const oldest = entries.size > MAX_POOLS ? entries.entries().next().value : undefined;
    if (oldest !== undefined) {
      entries.delete(oldest[0]);
      oldest[1].pool.close().catch(() => undefined);
    }
    return entry;
  };

  const isTlsBehind = async (entry: Entry, target: WireTarget, signal: AbortSignal): Promise<boolean> => {
    if (target.scheme === 'https') return false;
    const tls = { context: contextFor(target.tls), isVerified: false, hasClientCertificate: false };
    return probeTls(options.connect, { ...entry.connectOptions, tls }, signal);
  };

  const explainReset = async ({ connectOptions }: Entry, signal: AbortSignal): Promise<NetworkFailure> => {
    const mayWantOne = connectOptions.tls !== undefined && !connectOptions.tls.hasClientCertificate;
    return mayWantOne && (await probeClientCertificate(options.connect, connectOptions, signal))
      ? { kind: 'client-certificate-required' }
      : { kind: 'reset' };
  };

  return {
    send: async (request, signal) => {
      if (signal.aborted) return err({ kind: 'timeout', during: 'answer' });
      if (!isSoundAuthority(request.target.authority)) return err({ kind: 'not-http', reason: 'no such address' });
      const entry = entryFor(request.target);
      let response: Dispatcher.ResponseData;
      try {
        response = await entry.pool.request({
          method: request.method,
          path: request.path,
          headers: flatten({ 'user-agent': USER_AGENT, 'accept-encoding': 'identity', ...request.headers }),
          body: request.body ?? null,
          signal,
        });
      } catch (error) {
        const failure = failureOf(error, signal, entry.connectOptions.tls?.hasClientCertificate ?? false);
        const mayBeTls = failure.kind === 'not-http' || failure.kind === 'reset';
        if (mayBeTls && (await isTlsBehind(entry, request.target, signal))) return err({ kind: 'tls-answer' });
        return err(failure.kind === 'reset' ? await explainReset(entry, signal) : failure);
      }
      if (response.statusCode === 400 && (await isTlsBehind(entry, request.target, signal))) {
        discard(response);
        return err({ kind: 'tls-answer' });
      }
      return ok(replyOf(response));
    },
    certificateAt: (target) => entryFor(target).certificate,
    close: async () => {
      lifetime.abort(new NetworkError({ kind: 'timeout', during: 'connect' }));
      await Promise.all([...entries.values()].map((entry) => entry.pool.destroy()));
      entries.clear();
    },
  };
}

function secureContext(tls: WireTarget['tls']): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    // Go accepts RSA keys of 1024 bits, which OpenSSL's default level 2 does not: we must not fail where nodes do not
    ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=1`,
    // Go trusts any certificate in its pool, not only self-signed roots
    allowPartialTrustChain: true,
    ...(tls.authorities.length > 0 ? { ca: [...rootCertificates, ...tls.authorities] } : {}),
    ...(tls.clientPairs.length > 0
      ? { cert: tls.clientPairs.map((pair) => pair.certificate), key: tls.clientPairs.map((pair) => pair.key) }
      : {}),
  });
}

function fingerprint(tls: WireTarget['tls']): string {
  if (tls.isVerified && tls.authorities.length === 0 && tls.clientPairs.length === 0) return 'system';
  return createHash('sha256').update(JSON.stringify([tls.isVerified, tls.authorities, tls.clientPairs])).digest('hex');
}

/** `[::1]:5000` is host `[::1]` and port 5000. */
export function splitAuthority(authority: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const match = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/u.exec(authority);
  const port = match?.groups?.['port'];
  return {
    host: match?.groups?.['host'] ?? authority,
    port: port === undefined || port === '' ? defaultPort : Number(port),
  };
}

function isSoundAuthority(authority: string): boolean {
  const { host, port } = splitAuthority(authority, 443);
  return /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)$/u.test(host) && port > 0 && port < 65_536;
}

function flatten(headers: WireRequest['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

function failureOf(error: unknown, signal: AbortSignal, hasClientCertificate: boolean): NetworkFailure {
  if (error instanceof NetworkError) return error.failure;
  if (signal.aborted) return { kind: 'timeout', during: 'answer' };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return { kind: 'timeout', during: 'answer' };
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return { kind: 'not-http', reason: 'its header is too large' };
  if (code.startsWith('HPE_')) return { kind: 'not-http', reason: 'it does not answer in HTTP' };
  if (code === 'UND_ERR_INVALID_ARG') return { kind: 'not-http', reason: 'no such address' };
  return tlsFailure(error, hasClientCertificate);
}

function replyOf(response: Dispatcher.ResponseData): WireReply {
  const all = (name: string): readonly string[] => {
    const value = Object.hasOwn(response.headers, name) ? response.headers[name] : undefined;
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  };
  return {
    status: response.statusCode,
    header: (name) => all(name)[0],
    headerAll: all,
    read: async (maxBytes) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      try {
        for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
          length += chunk.length;
          chunks.push(chunk);
          if (length > maxBytes) break; // leaving the loop destroys the stream
        }
      } catch {
        return { bytes: Buffer.concat(chunks), isWhole: false, wasCut: true };
      }
      const bytes = Buffer.concat(chunks);
      return length > maxBytes
        ? { bytes: bytes.subarray(0, maxBytes), isWhole: false, wasCut: false }
        : { bytes, isWhole: true, wasCut: false };
    },
    stream: () => response.body as AsyncIterable<Uint8Array>,
    drop: () => discard(response),
  };
}

/** A body that ends in an error after nobody reads it any more is nobody's error. */
function discard(response: Dispatcher.ResponseData): void {
  response.body.on('error', () => undefined);
  response.body.destroy();
}
