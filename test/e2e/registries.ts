import { readFile } from 'node:fs/promises';
import { createImageStore, type ImageStore, type StoredImage } from '../../webhook/demo/image-store.ts';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { throttle } from '../support/bend.ts';
import type { Sighting } from '../support/request-log.ts';
import { createAuthority, validDates, type Dates } from '../support/pki.ts';
import {
  startScriptedRegistry,
  type ScriptedRegistry,
  type ScriptedRegistryOptions,
} from '../support/scripted-registry.ts';
import type { Cluster } from './cluster.ts';
import { openDoor } from './node-door.ts';

/** All registries of these tests have names below it. */
export const DOMAIN = 'e2e.test';
export const LOGIN = Object.freeze({ username: 'puller', password: 'right for these tests' });
/** Of the slow registry. Its image takes a minute, its Deployment waits for a third of it. */
export const SLOW_BYTES_PER_SECOND = 200_000;
const SLOW_BYTES = 12_000_000;

/** The registries as nodes and Pods reach them. Hosts are `name:port`. */
export interface Registries {
  /** Speaks plain HTTP, of which the node knows nothing. */
  readonly undeclared: string;
  /** Shows a certificate of an authority that the node does not have. */
  readonly unknownAuthority: { readonly host: string; readonly validFrom: Date; readonly validTo: Date };
  /** Asks for {@link LOGIN}; the node has the authority of its certificate. */
  readonly login: string;
  /** Speaks plain HTTP as the node was told. `layer` is absent, `index` names linux/arm64 alone. */
  readonly declared: { readonly host: string; readonly layer: string; readonly index: string };
  /** The same at a trickle. `bytes` is what a node would fetch. */
  readonly slow: { readonly host: string; readonly bytes: number };
  readonly names: readonly string[];
  readonly hosts: readonly string[];
  /** What the node knows: files of certs.d by relative path. */
  readonly nodeFiles: Readonly<Record<string, string>>;
  /** Where a secret stands in a request that a registry saw. */
  readonly sightings: (secret: string) => readonly (Sighting & { readonly host: string })[];
  readonly close: () => Promise<void>;
}

export async function startRegistries({ nodeIp, pauseBinary }: Cluster): Promise<Registries> {
  const program = await readFile(pauseBinary);
  const open: { readonly registry: ScriptedRegistry; readonly close: () => Promise<void>; readonly host: string }[] =
    [];
  const start = async (name: string, options: ScriptedRegistryOptions): Promise<string> => {
    const registry = await startScriptedRegistry({ store: storeOf(program), ...options });
    const door = await openDoor(nodeIp, registry.port);
    const host = `${name}.${DOMAIN}:${door.port}`;
    open.push({ registry, host, close: async () => void (await Promise.all([door.close(), registry.close()])) });
    return host;
  };

  const dates = validDates();
  const known = certificateOf('login', dates);
  const undeclared = await start('undeclared', {});
  const unknownHost = await start('unknown', { tls: certificateOf('unknown', dates).tls });
  const auth = basicAuth({ [LOGIN.username]: LOGIN.password });
  const login = await start('login', { tls: known.tls, auth });

  const store = storeOf(program);
  const damaged = addPause(store, program, 'team/damaged');
  const [layer] = damaged.layers;
  if (layer === undefined) throw new Error('the image has no layer');
  store.damage(layer.digest, 'removed');
  const arm = addPause(store, program, 'team/arm', { os: 'linux', architecture: 'arm64' });
  const index = store.repository('team/arm').addIndex([arm], { tags: ['1'] });
  const declared = await start('declared', { store });

  const slowStore = createImageStore();
  const layers = [{ 'app/name': program }];
  const large = slowStore.repository('team/large').addImage({ layers, paddingBytes: SLOW_BYTES, tags: ['1'] });
  const slow = await start('slow', { store: slowStore, bends: [throttle(SLOW_BYTES_PER_SECOND)] });
  return {
    undeclared,
    unknownAuthority: { host: unknownHost, validFrom: dates.from, validTo: dates.to },
    login,
    declared: { host: declared, layer: layer.digest, index: index.digest },
    slow: { host: slow, bytes: large.layers.reduce((sum, { size }) => sum + size, large.config.size) },
    names: open.map(({ host }) => host.slice(0, host.lastIndexOf(':'))),
    hosts: open.map(({ host }) => host),
    nodeFiles: {
      [`${login}/ca.crt`]: known.authority,
      [`${declared}/hosts.toml`]: `server = "http://${declared}"\n`,
      [`${slow}/hosts.toml`]: `server = "http://${slow}"\n`,
    },
    sightings: (secret) =>
      open.flatMap(({ registry, host }) => registry.log.sightings(secret).map((sighting) => ({ ...sighting, host }))),
    close: async () => void (await Promise.all(open.map(({ close }) => close()))),
  };
}

/** A server's certificate for a registry of that name, by an authority of its own. */
function certificateOf(name: string, dates: Dates) {
  const authority = createAuthority(`The ${name} Authority`);
  const { chain, key } = authority.issue({ names: [`${name}.${DOMAIN}`], dates });
  return { authority: authority.certificate, tls: { cert: chain, key } };
}

/** A registry with one image that really runs. */
function storeOf(program: Uint8Array): ImageStore {
  const store = createImageStore();
  addPause(store, program, 'team/app');
  return store;
}

/** The store gives every image the command /app/name. */
function addPause(
  store: ImageStore,
  program: Uint8Array,
  repository: string,
  platform = { os: 'linux', architecture: 'amd64' },
): StoredImage {
  // content of its own, so that damage to one image leaves the others whole
  const layers = [{ 'app/name': program, 'app/repository': repository }];
  return store
    .repository(repository)
    .addImage({ layers, platform, tags: platform.architecture === 'amd64' ? ['1'] : [] });
}
