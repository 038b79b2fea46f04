import { basicAuth } from '../../webhook/demo/registry.ts';
import { createLiveEngine, type LiveEngine } from '../../webhook/engine/live-engine.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { ask, POD } from './ask.ts';
import { startBearerRegistry, type Counted } from './bearer-registry.ts';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry, type CountingRegistry } from './counting-registry.ts';
import { countRounds } from './pace.ts';
import { policyFor } from './policy.ts';
import { aim, table } from './table.ts';

type Case = {
  readonly name: string;
  /** Below the registry's host. */
  readonly images: readonly string[];
  /** Asked of the same engine before the counting starts. */
  readonly after?: string;
  /** Whether the images are asked for side by side. */
  readonly isAtOnce?: true;
  /** Default `open`. */
  readonly registry?: 'open' | 'basic' | 'bearer';
  /** What the protocol asks of a client that wants to know as much. */
  readonly least: {
    readonly requests: number;
    /** Requests one upon the other, with no more connections than the least. */
    readonly rounds: number;
    readonly connections: number;
  };
  readonly how: string;
};

const LAYERS = 10;
const TEAM = 5;
/** How many layers are asked for at a time. */
const CONCURRENT_LAYERS = 6;
const GRAPH = 'HEAD, manifest, config, a HEAD a layer';
/** Long enough for requests that may overlap to do so, handshakes of new connections included. */
const ANSWER_MS = 50;
const LOGIN = Object.freeze({ username: 'bench', password: 'for a bench' });

const casesFor = (digest: string): readonly Case[] => [
  { name: 'public tag', images: ['/app:1'], least: least(4, 4), how: GRAPH },
  { name: 'public digest', images: [`/app@${digest}`], least: least(4, 4), how: GRAPH },
  { name: 'Basic tag', images: ['/app:1'], registry: 'basic', least: least(5, 5), how: `401, ${GRAPH}` },
  { name: 'Bearer tag', images: ['/app:1'], registry: 'bearer', least: least(6, 6, 2), how: `401, token, ${GRAPH}` },
  { name: 'an index', images: ['/app:index'], least: least(5, 5), how: `${GRAPH}, and the index` },
  {
    name: `${LAYERS} layers`,
    images: ['/app:layers'],
    least: least(3 + LAYERS, 2 + Math.ceil(LAYERS / CONCURRENT_LAYERS), 1 + CONCURRENT_LAYERS),
    how: `HEAD, manifest, config and ${CONCURRENT_LAYERS} layers at a time`,
  },
  { name: 'a digest seen before', after: `/app@${digest}`, images: ['/app:1'], least: least(1, 1), how: 'HEAD' },
  { name: 'its second tag', after: '/app:1', images: ['/app:same'], least: least(1, 1), how: 'HEAD' },
  {
    name: `${TEAM} images in turn`,
    images: team(),
    least: least(4 * TEAM, 4 * TEAM),
    how: `${GRAPH}, of each`,
  },
  {
    name: `${TEAM} images at once`,
    images: team(),
    isAtOnce: true,
    least: least(4 * TEAM, 4, TEAM),
    how: `${GRAPH}, of each`,
  },
];

function least(requests: number, rounds: number, connections = 1): Case['least'] {
  return { requests, rounds, connections };
}

function team(): readonly string[] {
  return Array.from({ length: TEAM }, (_, at) => `/team/${at}:1`);
}

/** How often a registry is asked for an image that Pullguard never saw, against the least that tells as much. */
export async function countColdRequests(options: {
  readonly certificate: Certificate;
  readonly write: (text: string) => void;
}): Promise<void> {
  const { certificate, write } = options;
  const open = await startCountingRegistry(certificate.tls);
  const basic = await startCountingRegistry(certificate.tls, basicAuth({ [LOGIN.username]: LOGIN.password }));
  const bearer = await startBearerRegistry(certificate);
  const registries = { open: { ...open, service: undefined }, basic: { ...basic, service: undefined }, bearer };
  try {
    const [digest] = [open, basic, bearer].map(fill);
    const rows: Row[] = [];
    for (const it of casesFor(digest ?? '')) {
      const registry = registries[it.registry ?? 'open'];
      registry.slowDown(ANSWER_MS);
      // one engine at a time, which has seen nothing
      // oxlint-disable-next-line no-await-in-loop
      rows.push(await count(it, startEngine(registry, certificate.authority), registry));
    }
    write(
      '\nCold checks: requests, requests one upon the other, and connections, to the registry and its token service\n',
    );
    write(
      table([
        ['', 'requests', 'least', 'twice', 'rounds', 'least', 'connections', 'least', 'the least is'],
        ...rows.map(({ it, requests, repeated, rounds, opened }) => [
          it.name,
          ...[requests, it.least.requests, repeated, rounds, it.least.rounds, opened, it.least.connections].map(String),
          it.how,
        ]),
      ]),
    );
    const isLeast = rows.every(({ it, requests, repeated }) => requests <= it.least.requests && repeated === 0);
    write(aim('no more requests than the least, none twice', isLeast));
    write(aim('no more rounds than the least', rows.every(({ it, rounds }) => rounds <= it.least.rounds))); // prettier-ignore
    const isReused = rows.every(({ it, opened }) => opened <= it.least.connections);
    write(aim('no more connections than the least', isReused));
  } finally {
    await Promise.all([open.close(), basic.close(), bearer.close()]);
  }
}

/** What the cases ask for; the digest is that of `app:1`. */
function fill(registry: CountingRegistry): string {
  const repository = registry.store.repository('app');
  const { digest } = repository.addImage({ tags: ['1', 'same'] });
  const layers = Array.from({ length: LAYERS }, (_, at) => ({ [`app/${at}`]: `layer ${at}\n` }));
  repository.addImage({ tags: ['layers'], layers });
  const entries = ['amd64', 'arm64'].map((architecture) =>
    repository.addImage({ platform: { os: 'linux', architecture }, layers: [{ arch: architecture }] }),
  );
  repository.addIndex(entries, { tags: ['index'] });
  for (let at = 0; at < TEAM; at += 1) registry.store.repository(`team/${at}`).addImage({ tags: ['1'] });
  return digest;
}

/** With a pull secret for a registry that asks for one; the others never do. */
function startEngine({ host }: CountingRegistry, authority: string): LiveEngine {
  const logins = JSON.stringify({ auths: { [host]: LOGIN } });
  const secret = {
    name: 'pull',
    namespace: POD.namespace,
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': logins },
  };
  return createLiveEngine(
    {
      secrets: manifestSecretSource({ secrets: [secret], serviceAccounts: [] }),
      resolve: createResolver(new Map()),
      clusterAddresses: undefined,
      nodes: undefined,
    },
    policyFor(host, authority),
    {},
  );
}

type Asked = CountingRegistry & { readonly service: Counted | undefined };
type Row = {
  readonly it: Case;
  readonly requests: number;
  readonly repeated: number;
  readonly rounds: number;
  readonly opened: number;
};

async function count(it: Case, engine: LiveEngine, { service, ...registry }: Asked): Promise<Row> {
  const pod = { ...POD, imagePullSecrets: it.registry === 'basic' ? ['pull'] : [] };
  const askFor = (image: string): Promise<void> => ask(engine, `${registry.host}${image}`, pod);
  try {
    if (it.after !== undefined) await askFor(it.after);
    registry.reset();
    service?.reset();
    if (it.isAtOnce === true) await Promise.all(it.images.map(askFor));
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what is counted
    else for (const image of it.images) await askFor(image);
    const lines = [...registry.requests(), ...(service?.requests() ?? [])];
    // the request that earned the 401 is sent again with the login, as it must be
    const challenged = it.registry === undefined ? 0 : 1;
    return {
      it,
      requests: lines.length,
      repeated: lines.length - new Set(lines).size - challenged,
      rounds: countRounds([...registry.spans(), ...(service?.spans() ?? [])]),
      opened: registry.gate.opened() + (service?.opened() ?? 0),
    };
  } finally {
    await engine.close();
  }
}
