import type { Socket } from 'node:net';
import { Pool, type Dispatcher } from 'undici';
import { err, ok } from '../image/result.ts';
import type { CertificateFacts } from '../outcome/outcome.ts';
import { isSoundAuthority, splitAuthority } from './authority.ts';
import type { Connect, ConnectOptions } from './connection.ts';
import { createDiagnosis } from './diagnosis.ts';
import { NetworkError } from './failure.ts';
import { createRecentMap } from './recent-map.ts';
import { discard, replyOf } from './reply.ts';
import { requestFailure, type KeptAlive } from './request-failure.ts';
import { createSecureContexts, tlsFingerprint } from './secure-context.ts';
import type { SendRequest, Transport, WireHeaders, WireTarget } from './wire.ts';

export type { Transport, WireReply, WireRequest, WireTarget } from './wire.ts';

export type TransportTimeouts = {
  readonly answerMs: number;
  readonly keepAliveMs: number;
  readonly probeMs: number;
};

export const TRANSPORT_TIMEOUTS: TransportTimeouts = Object.freeze({
  /** containerd's ResponseHeaderTimeout from 2.3 on; the older ones would wait for ever (pull-parity G5). */
  answerMs: 30_000,
  /** Sockets are given back soon: a check is a burst, then silence. */
  keepAliveMs: 4_000,
  /** How long a server may take to show that it speaks TLS after it failed to speak HTTP. */
  probeMs: 2_000,
});

export type TransportOptions = {
  readonly connect: Connect;
  /** Sockets to one target at a time; further requests queue. */
  readonly connectionsPerHost: number;
  /** Default {@link TRANSPORT_TIMEOUTS}. */
  readonly timeouts?: TransportTimeouts;
};

/** Targets kept connected. Each holds at most `connectionsPerHost` sockets. */
const MAX_POOLS = 256;
const MAX_HEADER_BYTES = 32 * 1024;
const USER_AGENT = 'pullguard (+https://pullguard.io)';

type Entry = {
  readonly pool: Pool;
  readonly connectOptions: ConnectOptions;
  readonly keptAlive: KeptAlive;
  /** In HTTP, as far as we know. */
  hasAnswered: boolean;
  certificate: CertificateFacts | undefined;
};

export function createTransport(options: TransportOptions): Transport {
  const { connect, timeouts = TRANSPORT_TIMEOUTS } = options;
  const contextFor = createSecureContexts();
  const lifetime = new AbortController();
  const diagnosis = createDiagnosis({ connect, contextFor, probeMs: timeouts.probeMs, lifetime: lifetime.signal });
  const closing = new Set<Pool>();
  const entries = createRecentMap<Entry>(MAX_POOLS, ({ pool }) => {
    closing.add(pool);
    const forget = (): boolean => closing.delete(pool);
    pool.close().then(forget, forget);
  });

  const openFor = async (entry: Entry): Promise<Socket> => {
    const { socket, certificate } = await connect(entry.connectOptions, lifetime.signal);
    entry.certificate = certificate;
    socket.prependListener('error', (error) => {
      if (socket.bytesRead > 0) entry.keptAlive.add(error);
    });
    return socket;
  };

  const createEntry = (target: WireTarget): Entry => {
    const connectOptions = connectOptionsOf(target, contextFor);
    const pool = new Pool(`${target.scheme}://${target.authority}`, {
      connections: options.connectionsPerHost,
      pipelining: 1,
      headersTimeout: timeouts.answerMs,
      bodyTimeout: timeouts.answerMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      keepAliveMaxTimeout: timeouts.keepAliveMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      connect: (_, settle) => {
        openFor(entry).then(
          (socket) => settle(null, socket),
          (error: unknown) => settle(error instanceof Error ? error : new Error(String(error)), null),
        );
      },
    });
    const entry: Entry = { pool, connectOptions, keptAlive: new WeakSet(), hasAnswered: false, certificate: undefined };
    return entry;
  };

  const send: SendRequest = async (request, signal) => {
    const { target } = request;
    if (signal.aborted || lifetime.signal.aborted) return err({ kind: 'timeout', during: 'answer' });
    if (!isSoundAuthority(target.authority)) return err({ kind: 'not-http', reason: 'no such address' });
    // to Go 256.1.1.1 is a name, which no server knows
    if (!URL.canParse(`${target.scheme}://${target.authority}`)) return err({ kind: 'dns' });
    let entry: Entry;
    try {
      entry = entries.take(keyOf(target), () => createEntry(target));
    } catch {
      return err({ kind: 'tls', reason: 'the certificates that the settings declare cannot be used' });
    }
    let response: Dispatcher.ResponseData;
    try {
      const asked = entry.pool.request({
        method: request.method,
        path: request.path,
        headers: headersOf(request.headers),
        body: request.body ?? null,
        // undici would end the connection after each HEAD; Go, and so the nodes, goes on with it
        reset: false,
        signal,
      });
      response = await untilAborted(asked, signal);
    } catch (error) {
      const hasClientCertificate = entry.connectOptions.tls?.hasClientCertificate ?? false;
      const { keptAlive, hasAnswered } = entry;
      const failure = requestFailure(error, { keptAlive, hasAnswered, hasClientCertificate, signal });
      return err(await diagnosis.explain(failure, target, entry.connectOptions, signal));
    }
    // 400 is what Go and nginx say to plain HTTP on a TLS port, whatever is asked
    const mayBeTls = response.statusCode === 400 && target.scheme === 'http' && !entry.hasAnswered;
    if (mayBeTls && (await diagnosis.isTlsBehind(target, entry.connectOptions, signal))) {
      discard(response.body);
      return err({ kind: 'tls-answer' });
    }
    entry.hasAnswered = true;
    return ok(replyOf(response, { signal, room: request.room }));
  };

  return {
    send,
    certificateAt: (target) => entries.peek(keyOf(target))?.certificate,
    close: async () => {
      lifetime.abort(new NetworkError({ kind: 'timeout', during: 'connect' }));
      const pools = [...closing, ...entries.values().map((entry) => entry.pool)];
      await Promise.all(pools.map((pool) => pool.destroy()));
      entries.clear();
    },
  };
}

/** undici hears of an abort only once the connection is open, or is not to be had: that takes as long as a dial may. */
async function untilAborted<V>(asked: Promise<V>, signal: AbortSignal): Promise<V> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new NetworkError({ kind: 'timeout', during: 'answer' }));
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function keyOf({ scheme, authority, dialTimeoutMs, tls }: WireTarget): string {
  return `${scheme}//${authority}/${dialTimeoutMs}/${scheme === 'https' ? tlsFingerprint(tls) : ''}`;
}

function connectOptionsOf(target: WireTarget, contextFor: ReturnType<typeof createSecureContexts>): ConnectOptions {
  const { tls, dialTimeoutMs } = target;
  const isSecure = target.scheme === 'https';
  return {
    ...splitAuthority(target.authority, isSecure ? 443 : 80),
    tls: isSecure
      ? { context: contextFor(tls), isVerified: tls.isVerified, hasClientCertificate: tls.clientPairs.length > 0 }
      : undefined,
    dialTimeoutMs,
  };
}

/** Names in lower case, so that none is sent twice. An encoding that we asked for would have to be decoded. */
function headersOf(headers: WireHeaders): Record<string, string | string[]> {
  const named = Object.entries(headers).map(
    ([name, value]) => [name.toLowerCase(), typeof value === 'string' ? value : [...value]] as const,
  );
  return { 'user-agent': USER_AGENT, ...Object.fromEntries(named), 'accept-encoding': 'identity' };
}
