import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { ImageStore, Repository } from '../../webhook/demo/image-store.ts';
import type { LoopbackServer } from '../../webhook/demo/loopback-server.ts';
import type { Authority } from '../support/pki.ts';
import {
  startScriptedRegistry,
  type ScriptedRegistry,
  type ScriptedRegistryOptions,
} from '../support/scripted-registry.ts';
import { startTokenService, type TokenService, type TokenServiceOptions } from '../support/token-service.ts';

/** Where a condition gets its servers; all end with its test. */
export type Stage = {
  readonly registry: (options?: ScriptedRegistryOptions) => Promise<ScriptedRegistry>;
  readonly tokens: (options?: TokenServiceOptions) => Promise<TokenService>;
  /** Who signs the certificates of the registries; no node knows it unless a condition says so. */
  readonly authority: Authority;
};

/** A stage whose servers are at an address besides loopback too, which dockerd takes for a host of its own. */
export type StageElsewhere = Stage & {
  /** Docker Hub's own host, at its own port, with a certificate that the node's system trusts. */
  readonly hub: (options?: ScriptedRegistryOptions) => Promise<ScriptedRegistry>;
};

export const HUB = 'registry-1.docker.io';
/** Loopback by a name that nobody would think so of. */
export const LOOP = 'loop.truth.test';

/** The only names that exist, besides `localhost`: all are this machine. */
export const NAMES: readonly string[] = [
  'reg.truth.test',
  'mirror.truth.test',
  'other.truth.test',
  'deep.wild.truth.test',
];

export function createStage(t: TestContext, authority: Authority): Stage {
  const ending = <T extends LoopbackServer>(server: T): T => {
    t.after(server.close);
    return server;
  };
  return {
    authority,
    registry: async (options) => ending(await startScriptedRegistry(options)),
    tokens: async (options) => ending(await startTokenService(options)),
  };
}

/** `system` is the authority that every node's system trusts. */
export function createStageElsewhere(
  t: TestContext,
  authority: Authority,
  { address, system }: { readonly address: string; readonly system: Authority },
): StageElsewhere {
  const stage = createStage(t, authority);
  const reaching = async <T extends LoopbackServer>(server: T, port = server.port): Promise<T> => {
    const relay = await startRelay({ address, port }, server.port);
    t.after(relay.close);
    const close = async (): Promise<void> => {
      await Promise.all([relay.close(), server.close()]);
    };
    return { ...server, close };
  };
  return {
    authority,
    registry: async (options) => await reaching(await stage.registry(options)),
    tokens: stage.tokens,
    hub: async (options) => {
      const { chain, key } = system.issue({ names: [HUB] });
      return await reaching(await stage.registry({ tls: { cert: chain, key }, ...options }), 443);
    },
  };
}

/** Hands every connection to a port on loopback. */
async function startRelay(
  at: { readonly address: string; readonly port: number },
  to: number,
): Promise<{ readonly close: () => Promise<void> }> {
  const sockets = new Set<{ destroy: () => void }>();
  const server = createServer((socket) => {
    const onward = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(at.port, at.address, resolve);
  });
  let closed: Promise<void> | undefined;
  return {
    close: async () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      await closed;
    },
  };
}

/** A registry over plain HTTP that the node was told of, its repository `team/app`, and the files that tell. */
export async function insecureRegistry(
  stage: Stage,
  options?: ScriptedRegistryOptions,
): Promise<{ registry: ScriptedRegistry; app: Repository; image: string; files: Readonly<Record<string, string>> }> {
  const registry = await stage.registry(options);
  return {
    registry,
    app: appOf(registry.store),
    image: `${registry.host}/team/app:1`,
    files: insecureFiles(registry.host),
  };
}

export const appOf = (store: ImageStore): Repository => store.repository('team/app');

/** A `[[registry]]` that allows HTTP and any certificate. */
export const insecure = (location: string): string => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`;

/** The same for podman and dockerd. */
export const insecureFiles = (host: string): Readonly<Record<string, string>> => ({
  'registries.conf': insecure(host),
  'daemon.json': JSON.stringify({ 'insecure-registries': [host] }),
});

/** `reg.truth.test:40123`: a server on loopback by another name. */
export const named = (name: string, { port }: LoopbackServer): string => `${name}:${port}`;
