import type { ScriptedRegistry, ScriptedRegistryOptions } from '../../support/scripted-registry.ts';
import type { Condition, TruthSecret } from './condition.ts';

/** The name under which the node knows the registries; /etc/hosts maps it to loopback. */
export const HOST = 'reg.truth.test';
export const MIRROR_HOST = 'mirror.truth.test';
/** Where registries send for blobs, and where tokens come from. */
export const STORE_HOST = 'store.truth.test';
export const NAMES: readonly string[] = [HOST, MIRROR_HOST, STORE_HOST];

/** What conditions are made with. */
export type Stage = {
  /** The node's address, at which it is not on loopback. */
  readonly nodeIp: string;
  /** A registry, closed with the stage, with an image `app:1` of its own: the node has no part of it. */
  readonly registry: (options?: ScriptedRegistryOptions) => Promise<ScriptedRegistry>;
  /** A port at which nobody listens, now or later: the system gives such low ones to nobody. */
  readonly deadPort: () => number;
  readonly keep: <T extends Closable>(server: T) => T;
  readonly add: (condition: Condition) => void;
};

export type Closable = { readonly close: () => Promise<void> };

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
