import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { Connect } from './connection.ts';
import { dial, dialFirst, type Open } from './dial.ts';
import { NetworkError } from './failure.ts';
import type { Guard } from './guard.ts';
import { handshake } from './handshake.ts';
import type { ResolveName } from './resolve.ts';

export type ConnectTimeouts = {
  readonly handshakeMs: number;
  readonly nextAddressMs: number;
  readonly probeMs: number;
};

export const CONNECT_TIMEOUTS: ConnectTimeouts = Object.freeze({
  /** Go's TLSHandshakeTimeout in containerd and dockerd (pull-parity E13). */
  handshakeMs: 10_000,
  /** With more addresses to try, one that does not answer must not use up the whole time. */
  nextAddressMs: 2_000,
  /** How long a server may take to show that it speaks HTTP after it failed to speak TLS. */
  probeMs: 2_000,
});

export type ConnectDeps = {
  readonly resolve: ResolveName;
  readonly guard: Guard;
  readonly now: () => Date;
  /** Default {@link CONNECT_TIMEOUTS}. */
  readonly timeouts?: ConnectTimeouts;
};

/**
 * Dials a registry as a runtime would and tells every failure apart. The guard is asked about the very address that is
 * dialled.
 */
export function createConnect(deps: ConnectDeps): Connect {
  const { timeouts = CONNECT_TIMEOUTS } = deps;
  return async (options, signal) => {
    const { tls, port } = options;
    const name = options.host.replace(/^\[|\]$/gu, '');
    const addresses = await deps.resolve(name, signal);
    const allowed = addresses.filter((address) => deps.guard({ host: options.host, port, address }));
    if (allowed.length === 0) throw new NetworkError({ kind: 'blocked' });
    const limits = { lastMs: options.dialTimeoutMs, nextMs: timeouts.nextAddressMs };
    if (tls === undefined) {
      const plain = await dialFirst(allowed, openPlain(port), limits, signal);
      return { socket: plain.socket, certificate: undefined };
    }
    const dialled = await dialFirst(allowed, openSecure(port, name, tls.context), limits, signal);
    const redial = (): Promise<Socket> => dial(openPlain(port)(dialled.address), timeouts.probeMs, signal);
    return handshake(dialled.socket, { ...options, ...timeouts, tls, redial, now: deps.now() }, signal);
  };
}

function openPlain(port: number): Open<Socket> {
  return (address) => connectTcp({ host: address, port, noDelay: true, keepAlive: true });
}

function openSecure(port: number, name: string, context: SecureContext): Open<TLSSocket> {
  return (address) =>
    connectTls({
      host: address,
      port,
      secureContext: context,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined, // judged by the handshake, in Go's order
    });
}
