import { status } from '../../support/bend.ts';
import { basicAuth } from '../../../webhook/demo/registry.ts';
import type { ScriptedRegistry, ScriptedRegistryOptions } from '../../support/scripted-registry.ts';
import type { Asked, Condition } from '../condition.ts';
import { ELSEWHERE } from '../elsewhere.ts';
import { appOf, HUB, LOOP, named, type StageElsewhere } from '../stage.ts';

const NAME = 'reg.truth.test';
const RIGHT = { username: 'puller', password: 'right' } as const;
const daemonJson = (document: object): Readonly<Record<string, string>> => ({
  'daemon.json': JSON.stringify(document),
});

/** A registry over plain HTTP by this name, and insecure-registries that may have it. */
const plain =
  (entries: (host: string, port: number) => readonly string[], name = NAME) =>
  async (stage: StageElsewhere): Promise<Asked> => {
    const registry = await stage.registry();
    appOf(registry.store).addImage({ tags: ['1'] });
    const host = named(name, registry);
    const listed = entries(host, registry.port);
    return {
      image: `${host}/team/app:1`,
      files: listed.length === 0 ? {} : daemonJson({ 'insecure-registries': listed }),
    };
  };

type Mirrored = {
  readonly has?: 'both' | 'mirror' | 'hub' | 'nobody';
  readonly mirror?: (stage: StageElsewhere) => ScriptedRegistryOptions;
  readonly hub?: (stage: StageElsewhere) => ScriptedRegistryOptions;
  /** Default: over HTTP on loopback. */
  readonly url?: (mirror: ScriptedRegistry) => string;
  readonly before?: (servers: { readonly mirror: ScriptedRegistry; readonly hub: ScriptedRegistry }) => unknown;
  readonly more?: (stage: StageElsewhere, mirror: ScriptedRegistry) => Readonly<Record<string, string>>;
  readonly insecure?: (mirror: ScriptedRegistry) => readonly string[];
  readonly login?: Asked['login'];
  readonly image?: string;
};

/** Docker Hub, and a mirror of it. */
const mirrored =
  (options: Mirrored = {}) =>
  async (stage: StageElsewhere): Promise<Asked> => {
    const { has = 'both', login } = options;
    const mirror = await stage.registry(options.mirror?.(stage));
    const hub = await stage.hub(options.hub?.(stage));
    for (const { store } of [mirror, hub]) store.repository('library/app').addImage({ tags: ['1'] });
    if (has === 'hub' || has === 'nobody') mirror.bend({ kind: 'manifest' }, status(404, 'MANIFEST_UNKNOWN'));
    if (has === 'mirror' || has === 'nobody') hub.bend({ kind: 'manifest' }, status(404, 'MANIFEST_UNKNOWN'));
    await options.before?.({ mirror, hub });
    const insecure = options.insecure?.(mirror) ?? [];
    const document = {
      'registry-mirrors': [options.url?.(mirror) ?? `http://${mirror.host}`],
      ...(insecure.length === 0 ? {} : { 'insecure-registries': insecure }),
    };
    return {
      image: options.image ?? 'app:1',
      files: { ...daemonJson(document), ...options.more?.(stage, mirror) },
      ...(login === undefined ? {} : { login }),
    };
  };

const alone =
  (options: { readonly hub?: Mirrored['hub']; readonly files?: (stage: StageElsewhere) => Asked['files'] } = {}) =>
  async (stage: StageElsewhere): Promise<Asked> => {
    const hub = await stage.hub(options.hub?.(stage));
    hub.store.repository('library/app').addImage({ tags: ['1'] });
    return { image: 'app:1', files: options.files?.(stage) ?? {} };
  };

const byOwn = (name: string) => (stage: StageElsewhere) => {
  const { chain, key } = stage.authority.issue({ names: [name] });
  return { tls: { cert: chain, key } };
};
const httpsMirror = (mirror: ScriptedRegistry): string => `https://${named('mirror.truth.test', mirror)}`;
const plainMirror = (mirror: ScriptedRegistry): string => `http://${named('mirror.truth.test', mirror)}`;
const foldersOf = (stage: StageElsewhere, ...hosts: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(hosts.map((host) => [`certs.d/${host}/ca.crt`, stage.authority.certificate]));
const NOT_LOOKED_UP = 'names are not looked up: a node may resolve them otherwise, and nothing is proven by it';

export const DAEMON: readonly Condition<StageElsewhere>[] = [
  { name: 'insecure by host and port', pulls: true, arrange: plain((host) => [host]) },
  { name: 'insecure by the host without its port', pulls: false, arrange: plain(() => [NAME]) },
  { name: 'insecure by the host in capitals', pulls: false, arrange: plain((host) => [host.toUpperCase()]) },
  {
    name: 'insecure by the host with another port',
    pulls: false,
    arrange: plain((_, port) => [`${NAME}:${port + 1}`]),
  },
  { name: 'insecure with a scheme', pulls: true, arrange: plain((host) => [`http://${host}`]) },
  {
    name: 'an address that is insecure by its range',
    pulls: true,
    arrange: plain(() => ['198.51.100.0/24'], ELSEWHERE),
  },
  { name: 'an address outside of the range', pulls: false, arrange: plain(() => ['203.0.113.0/24'], ELSEWHERE) },
  {
    name: 'a name that is insecure by the range of its address',
    pulls: true,
    docker: { differs: NOT_LOOKED_UP },
    arrange: plain(() => ['198.51.100.0/24']),
  },
  { name: 'a name whose address is outside of the range', pulls: false, arrange: plain(() => ['203.0.113.0/24']) },
  {
    name: 'a name of loopback',
    pulls: true,
    docker: { differs: NOT_LOOKED_UP },
    arrange: plain(() => [], LOOP),
  },
  { name: 'Docker Hub', pulls: true, arrange: alone() },
  {
    name: 'Docker Hub of an authority that only certs.d has',
    pulls: false,
    arrange: alone({ hub: byOwn(HUB), files: (stage) => foldersOf(stage, HUB, 'docker.io', 'index.docker.io') }),
  },
  {
    name: 'Docker Hub that is insecure',
    pulls: false,
    arrange: alone({ hub: byOwn(HUB), files: () => daemonJson({ 'insecure-registries': [HUB, 'docker.io'] }) }),
  },
  { name: 'a mirror that has the image', pulls: true, arrange: mirrored({ has: 'mirror' }) },
  { name: 'a mirror that has it not', pulls: true, arrange: mirrored({ has: 'hub' }) },
  { name: 'nobody has it', pulls: false, arrange: mirrored({ has: 'nobody' }) },
  { name: 'a mirror that is down', pulls: true, arrange: mirrored({ before: ({ mirror }) => mirror.close() }) },
  { name: 'a mirror for a Hub that is down', pulls: true, arrange: mirrored({ before: ({ hub }) => hub.close() }) },
  ...[401, 403, 429, 500, 503].map((code) => ({
    name: `a mirror whose manifests are answered ${code}`,
    pulls: true,
    arrange: mirrored({ before: ({ mirror }) => mirror.bend({ kind: 'manifest' }, status(code, 'UNKNOWN')) }),
  })),
  {
    name: 'a mirror that answers everything with 500',
    pulls: true,
    arrange: mirrored({ before: ({ mirror }) => mirror.bend({}, status(500, 'UNKNOWN')) }),
  },
  ...[401, 403, 404, 500].map((code) => ({
    name: `a mirror whose blobs are answered ${code}`,
    pulls: true,
    arrange: mirrored({ before: ({ mirror }) => mirror.bend({ kind: 'blob' }, status(code, 'BLOB_UNKNOWN')) }),
  })),
  {
    name: 'a Hub without blobs behind a sound mirror',
    pulls: true,
    arrange: mirrored({ before: ({ hub }) => hub.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN')) }),
  },
  {
    name: 'a mirror without blobs and a Hub without the manifest',
    pulls: false,
    arrange: mirrored({
      has: 'mirror',
      before: ({ mirror }) => mirror.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN')),
    }),
  },
  {
    name: 'a mirror over HTTP that is not insecure',
    pulls: true,
    arrange: mirrored({ has: 'mirror', url: plainMirror }),
  },
  {
    name: 'a mirror over HTTP that is said to be HTTPS, and insecure',
    pulls: false,
    arrange: mirrored({
      has: 'mirror',
      url: httpsMirror,
      insecure: (mirror) => [named('mirror.truth.test', mirror)],
    }),
  },
  {
    name: 'a mirror of an authority that nobody has',
    pulls: false,
    arrange: mirrored({ has: 'mirror', mirror: byOwn('mirror.truth.test'), url: httpsMirror }),
  },
  {
    name: 'a mirror of an authority that certs.d has',
    pulls: true,
    arrange: mirrored({
      has: 'mirror',
      mirror: byOwn('mirror.truth.test'),
      url: httpsMirror,
      more: (stage, mirror) => foldersOf(stage, named('mirror.truth.test', mirror)),
    }),
  },
  {
    name: 'an insecure mirror of an authority that nobody has',
    pulls: true,
    arrange: mirrored({
      has: 'mirror',
      mirror: byOwn('mirror.truth.test'),
      url: httpsMirror,
      insecure: (mirror) => [named('mirror.truth.test', mirror)],
    }),
  },
  {
    name: 'a mirror whose client certificate lacks its key',
    pulls: false,
    arrange: mirrored({
      url: httpsMirror,
      mirror: byOwn('mirror.truth.test'),
      more: (stage, mirror) => ({
        [`certs.d/${named('mirror.truth.test', mirror)}/client.cert`]: stage.authority.certificate,
      }),
    }),
  },
  {
    name: 'a mirror that wants the login of Docker Hub',
    pulls: true,
    arrange: mirrored({
      has: 'mirror',
      mirror: () => ({ auth: basicAuth({ puller: RIGHT.password }) }),
      login: RIGHT,
    }),
  },
  {
    name: 'a mirror that wants a login, and none',
    pulls: false,
    arrange: mirrored({ has: 'mirror', mirror: () => ({ auth: basicAuth({ puller: RIGHT.password }) }) }),
  },
  {
    name: 'a mirror, for an image of another registry',
    pulls: false,
    arrange: async (stage) => {
      const asked = await mirrored()(stage);
      const other = await stage.registry();
      return { ...asked, image: `${named(NAME, other)}/library/app:1` };
    },
  },
  {
    name: 'the host of a mirror, which is not insecure by that',
    pulls: false,
    arrange: async (stage) => {
      const mirror = await stage.registry();
      appOf(mirror.store).addImage({ tags: ['1'] });
      return {
        image: `${named('mirror.truth.test', mirror)}/team/app:1`,
        files: daemonJson({ 'registry-mirrors': [plainMirror(mirror)] }),
      };
    },
  },
];
