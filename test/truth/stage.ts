import type { TestContext } from 'node:test';
import type { ImageStore, Repository } from '../../webhook/demo/image-store.ts';
import type { LoopbackServer } from '../../webhook/demo/registry.ts';
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
    files: { 'registries.conf': insecure(registry.host) },
  };
}

export const appOf = (store: ImageStore): Repository => store.repository('team/app');

/** A `[[registry]]` that allows HTTP and any certificate. */
export const insecure = (location: string): string => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`;

/** `reg.truth.test:40123`: a server on loopback by another name. */
export const named = (name: string, { port }: LoopbackServer): string => `${name}:${port}`;
