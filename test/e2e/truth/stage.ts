import {
  startScriptedRegistry,
  type ScriptedRegistry,
  type ScriptedRegistryOptions,
} from '../../support/scripted-registry.ts';
import { addBasicConditions } from './basic-conditions.ts';
import type { Condition, TruthSecret } from './condition.ts';
import { addNameConditions } from './name-conditions.ts';
import { addSettingsConditions } from './settings-conditions.ts';
import { addSharedConditions } from './shared-conditions.ts';
import { addTlsConditions } from './tls-conditions.ts';
import { addTokenConditions } from './token-conditions.ts';

/** The name under which the node knows the registries; /etc/hosts maps it to loopback. */
export const HOST = 'reg.truth.test';
export const MIRROR_HOST = 'mirror.truth.test';
export const NAMES: readonly string[] = [HOST, MIRROR_HOST];

/** What conditions are made with. */
export type Stage = {
  /** A registry with the image `app:1`, closed with the stage. */
  readonly registry: (options?: ScriptedRegistryOptions) => Promise<ScriptedRegistry>;
  readonly keep: <T extends Closable>(server: T) => T;
  readonly add: (condition: Condition) => void;
};

type Closable = { readonly close: () => Promise<void> };

/** Starts every registry and returns the conditions that the node and the engine will meet. */
export async function openStage(): Promise<{ readonly conditions: readonly Condition[] } & Closable> {
  const servers: Closable[] = [];
  const conditions: Condition[] = [];
  const stage: Stage = {
    registry: async (options = {}) => {
      const started = stage.keep(await startScriptedRegistry(options));
      started.store.repository('app').addImage({ tags: ['1'] });
      return started;
    },
    keep: (server) => {
      servers.push(server);
      return server;
    },
    add: (condition) => void conditions.push(condition),
  };
  await addSharedConditions(stage);
  await addTlsConditions(stage);
  await addSettingsConditions(stage);
  await addBasicConditions(stage);
  await addTokenConditions(stage);
  addNameConditions(stage);
  return {
    conditions,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

export const hostOf = (server: { readonly port: number }, name: string = HOST): string => `${name}:${server.port}`;

/** The node is told that a registry speaks plain HTTP. */
export const overHttp = (host: string): Readonly<Record<string, string>> => ({
  [`${host}/hosts.toml`]: `server = "http://${host}"\n`,
});

export const USER = 'puller';
export const PASSWORD = 'right-password';

export type Entry = { readonly username: string; readonly password: string; readonly auth: string };

export const login = (username: string, password: string): Entry => ({
  username,
  password,
  auth: Buffer.from(`${username}:${password}`).toString('base64'),
});
export const RIGHT = login(USER, PASSWORD);
export const WRONG = login(USER, 'wrong');
export const config = (auths: Readonly<Record<string, unknown>>): TruthSecret => ({ text: JSON.stringify({ auths }) });
