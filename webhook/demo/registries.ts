import type { DemoCertificates } from './certificates.ts';
import { claimLargeLayer, createContent, throttle } from './content.ts';
import type { LoopbackServer, ServerOptions } from './loopback-server.ts';
import { basicAuth, startRegistry, type Bend } from './registry.ts';
import { startDemoTokens } from './token-service.ts';

/** The registries of the demo, each of them on a port of its own on 127.0.0.1. */
export type DemoRegistries = {
  /** Host name to port. The names are of the top-level domain that is kept for tests (RFC 6761). */
  readonly ports: ReadonlyMap<string, number>;
  readonly close: () => Promise<void>;
};

/** Who may log in. No secret: it serves images made for the demo, on this machine alone, while the demo runs. */
const PASSWORDS = { demo: 'right' } as const;
const TOKEN_SERVICE = 'auth.test';
/** Names whose registries show a sound certificate of their own. */
const SOUND = ['mutual.test', 'private.test', TOKEN_SERVICE, 'basic.test', 'slow.test', 'busy.test'];

/** Starts all of them. What has started is closed again where one fails. */
export async function startRegistries(certificates: DemoCertificates): Promise<DemoRegistries> {
  const servers = new Map<string, LoopbackServer>();
  const close = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.close()));
  };
  const pair = async (names: readonly string[], age?: 'expired'): Promise<NonNullable<ServerOptions['tls']>> => {
    const { certificate, key } = await certificates.issueFor(names, age);
    return { cert: certificate, key };
  };
  const store = createContent();
  const start = async (name: string, tls: ServerOptions['tls'], bends: readonly Bend[] = []): Promise<void> => {
    servers.set(name, await startRegistry({ store, bends, ...(tls === undefined ? {} : { tls }) }));
  };
  try {
    const [corp, stranger, sound, expired] = await Promise.all([
      pair(['corp.test']),
      pair(['stranger.test']),
      pair(SOUND),
      pair(['expired.test'], 'expired'),
    ]);
    const tokens = await startDemoTokens(sound, PASSWORDS);
    servers.set(TOKEN_SERVICE, tokens.server);
    const demandClient = { ...sound, requestCert: true, rejectUnauthorized: true, ca: certificates.registryAuthority };
    await Promise.all([
      start('plain.test', undefined),
      start('intranet.test', undefined),
      start('corp.test', corp),
      start('alias.test', corp),
      start('stranger.test', stranger),
      start('expired.test', expired),
      start('mutual.test', demandClient),
      start('private.test', sound, [tokens.bearerAuth(TOKEN_SERVICE)]),
      start('basic.test', sound, [basicAuth(PASSWORDS)]),
      start('slow.test', sound, [claimLargeLayer]),
      start('busy.test', sound, [throttle]),
    ]);
  } catch (error) {
    await close();
    throw error;
  }
  return { ports: new Map([...servers].map(([name, { port }]) => [name, port])), close };
}
