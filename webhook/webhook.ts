import type { AddressInfo } from 'node:net';
import type { ImagePresence } from './admission/ports.ts';
import { createReviewer } from './admission/reviewer.ts';
import type { LiveEngine } from './engine/live-engine.ts';
import { createAdminServer, type AdminDeps } from './http/admin.ts';
import { createApp } from './http/app.ts';
import { createTlsServer, type ServingCertificate } from './http/tls-server.ts';
import type { Listener } from './http/listener.ts';
import type { Address } from './config.ts';
import { logReview, type Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export type WebhookOptions = {
  readonly engine: LiveEngine;
  readonly presence: ImagePresence;
  readonly ownNamespace: string;
  readonly certificate: ServingCertificate;
  readonly listen: Address;
  /** `undefined` opens no second port. */
  readonly adminListen: Address | undefined;
  readonly readiness: AdminDeps['readiness'];
  readonly log: Log;
  readonly metrics: Metrics;
};

/** The webhook as it listens: reviews over TLS, probes and metrics on a plain port. */
export type Webhook = {
  readonly address: AddressInfo;
  readonly adminAddress: AddressInfo | undefined;
  readonly renew: ReturnType<typeof createTlsServer>['renew'];
  /** Goes on accepting for `lingerMs`, then ends when the last answer is out. */
  readonly drain: (lingerMs: number) => Promise<void>;
};

/** Answers under way when it ends may take as long as a review. */
const DRAIN_LIMIT_MS = 15_000;

/** Puts reviewer, engine and servers together and listens: for `serve`, and for `demo` on a port of its own. */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { engine, log, metrics } = options;
  const review = createReviewer({
    policy: engine.policy,
    predict: engine.predict,
    weigh: engine.weigh,
    presence: options.presence,
    now: () => performance.now(),
    ownNamespace: options.ownNamespace,
    family: engine.family,
    onReviewed: (facts) => {
      metrics.reviewed(facts);
      logReview(log, facts);
    },
  });
  const server = createTlsServer(createApp({ review, log, metrics }), options.certificate);
  const admin = createAdminServer({ readiness: options.readiness, metrics });
  const address = await listenOn(server, options.listen);
  let adminAddress: AddressInfo | undefined;
  try {
    if (options.adminListen !== undefined) adminAddress = await listenOn(admin, options.adminListen);
  } catch (error) {
    await server.drain({ lingerMs: 0, limitMs: 0 });
    throw error;
  }
  return {
    address,
    adminAddress,
    renew: (certificate) => server.renew(certificate),
    drain: async (lingerMs) => {
      await server.drain({ lingerMs, limitMs: DRAIN_LIMIT_MS });
      if (adminAddress !== undefined) await admin.drain({ lingerMs: 0, limitMs: 1_000 });
    },
  };
}

/** `HOST:PORT`, an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Rejects with one line for the user. */
async function listenOn(server: Pick<Listener, 'listen'>, address: Address): Promise<AddressInfo> {
  try {
    return await server.listen(address.host, address.port);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new Error(`cannot listen on ${formatAddress(address)}: ${LISTEN_FAILURES[code] ?? code}`, { cause });
  }
}

const LISTEN_FAILURES: Readonly<Record<string, string>> = Object.freeze({
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'it takes more rights to listen on this port',
  ENOTFOUND: 'the host has no address in DNS',
});
