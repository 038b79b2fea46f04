import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Identity, PullOutcome } from '../../webhook/outcome/outcome.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import {
  createRegistryClient,
  type Ask,
  type ClientOptions,
  type RegistryClient,
} from '../../webhook/registry/client.ts';
import { CONNECT_TIMEOUTS, createConnect } from '../../webhook/registry/connect.ts';
import type { RegistryEndpoint } from '../../webhook/registry/endpoint.ts';
import { unguarded, type Guard } from '../../webhook/registry/guard.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { createTransport, TRANSPORT_TIMEOUTS, type TransportTimeouts } from '../../webhook/registry/transport.ts';
import type { Transport, WireRequest } from '../../webhook/registry/wire.ts';

/** Names that stand for this machine in every test of this layer. */
const NAMES = ['reg.test', 'other.test', 'token.test', 'evil.test'];

export type WireOptions = {
  readonly guard?: Guard;
  readonly connectionsPerHost?: number;
  readonly timeouts?: Partial<TransportTimeouts & { readonly handshakeMs: number }>;
};

export function createWire({ guard = unguarded, connectionsPerHost = 4, timeouts = {} }: WireOptions = {}): Transport {
  const probeMs = timeouts.probeMs ?? 1_000;
  return createTransport({
    connect: createConnect({
      resolve: createResolver(new Map(NAMES.map((name) => [name, ['127.0.0.1']]))),
      guard,
      now: () => new Date(),
      timeouts: { ...CONNECT_TIMEOUTS, probeMs, handshakeMs: timeouts.handshakeMs ?? 5_000 },
    }),
    connectionsPerHost,
    timeouts: { ...TRANSPORT_TIMEOUTS, ...timeouts, probeMs },
  });
}

export const NO_TLS: RegistryEndpoint['tls'] = { isVerified: true, authorities: [], clientPairs: [] };

export function endpointAt(authority: string, more: Partial<RegistryEndpoint> = {}): RegistryEndpoint {
  return {
    scheme: 'http',
    authority,
    pathPrefix: '/v2',
    repository: 'team/app',
    namespace: undefined,
    tls: NO_TLS,
    headers: {},
    dialTimeoutMs: 5_000,
    declaredBy: undefined,
    ...more,
  };
}

export type ClientParts = Partial<Omit<ClientOptions, 'transport' | 'endpoint'>> & {
  readonly transport: Transport;
  readonly endpoint: RegistryEndpoint;
};

const PULL_SECRET: Identity = { by: 'pull-secret', secret: 'regcred', key: 'reg.test' };

/** A client in containerd's manner, anonymous unless it is given a login. Counts its requests. */
export function createClient(parts: ClientParts): RegistryClient & { readonly requests: () => number } {
  let requests = 0;
  const client = createRegistryClient({
    login: undefined,
    identity: parts.login === undefined ? { by: 'anonymous' } : PULL_SECRET,
    style: 'containerd',
    budget: unlimited,
    realms: { isStrict: false, pairs: [] },
    note: () => undefined,
    now: () => performance.now(),
    ...parts,
    countRequest: () => {
      requests += 1;
    },
  });
  return { ...client, requests: () => requests };
}

export const manifest = (key: string, more: Partial<Ask> = {}): Ask => ({
  method: 'GET',
  resource: { kind: 'manifest', key, accept: '*/*' },
  maxBytes: 1024 * 1024,
  retriesServerErrors: false,
  ...more,
});

export const blob = (digest: string, more: Partial<Ask> = {}): Ask =>
  manifest('', { resource: { kind: 'blob', digest }, ...more });

export const soon = (ms = 20_000): AbortSignal => AbortSignal.timeout(ms);

/** A GET of `/v2/` at an authority, with the transport alone. */
export const getFrom = (authority: string, target: Partial<WireRequest['target']> = {}): WireRequest => ({
  target: { scheme: 'http', authority, tls: NO_TLS, dialTimeoutMs: 5_000, ...target },
  method: 'GET',
  path: '/v2/',
  headers: {},
});

/** The whole of an outcome that a test compares: its kind, and what tells it from others of that kind. */
export function inShort(outcome: PullOutcome): string {
  const details = ['reason', 'by', 'phase', 'host', 'detail', 'status']
    .map((name) => (name in outcome ? Reflect.get(outcome, name) : undefined))
    .filter((one) => typeof one === 'string');
  return [outcome.kind, ...details].join(' ');
}

export interface RawServer {
  readonly port: number;
  readonly host: string;
  /** Everything that any connection sent, as latin1. */
  readonly received: () => string;
  readonly connections: () => number;
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

/** A TCP or TLS server on loopback that is no HTTP server: it does what `onSocket` says. */
export async function startRaw(
  onSocket: (socket: Socket, connection: number) => void,
  tls?: TlsOptions,
): Promise<RawServer> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const serve = (socket: Socket): void => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    onSocket(socket, connections);
  };
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on('tlsClientError', () => undefined);
  const raw = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    raw.add(socket);
    socket.on('close', () => raw.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  const { port } = address;
  return {
    port,
    host: `127.0.0.1:${port}`,
    received: () => Buffer.concat(chunks).toString('latin1'),
    connections: () => connections,
    open: () => sockets.size,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of raw) socket.destroy();
      });
    },
  };
}

/** Calls back once for each request on a socket that has arrived whole: a head without a body. */
export function onRequest(socket: Socket, answer: (head: string, count: number) => void): void {
  let pending = '';
  let count = 0;
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      const head = pending.slice(0, end);
      pending = pending.slice(end + 4);
      count += 1;
      answer(head, count);
    }
  });
}

/** Releases what a test opened, last first. */
export function createCleanup(): {
  readonly add: <T extends { close: () => Promise<void> }>(one: T) => T;
  readonly run: () => Promise<void>;
} {
  const open: { close: () => Promise<void> }[] = [];
  return {
    add: (one) => {
      open.push(one);
      return one;
    },
    run: async () => {
      // in turn: clients before the servers that they talk to
      // oxlint-disable-next-line no-await-in-loop
      while (open.length > 0) await open.pop()?.close();
    },
  };
}
