import type { PodDemand } from '../../webhook/admission/ports.ts';
import { createLiveEngine, type LiveEngine } from '../../webhook/engine/live-engine.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { startBearerRegistry, type Counted } from './bearer-registry.ts';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry, type CountingRegistry } from './counting-registry.ts';
import { policyFor } from './policy.ts';
import { aim, table } from './table.ts';

type Case = {
  readonly name: string;
  /** Below the registry's host. */
  readonly image: string;
  /** Asked of the same engine before the counting starts. */
  readonly after?: string;
  readonly wantsToken?: boolean;
  /** The requests that the protocol asks of a client that wants to know as much. */
  readonly least: number;
  /** The connections that those need. */
  readonly connections: number;
  readonly how: string;
};

const LAYERS = 10;
/** How many layers are asked for at a time. */
const CONCURRENT_LAYERS = 6;
const GRAPH = 'HEAD, manifest, config, a HEAD a layer';

const casesFor = (digest: string): readonly Case[] => [
  { name: 'public tag', image: '/app:1', least: 4, connections: 1, how: GRAPH },
  { name: 'Bearer tag', image: '/app:1', wantsToken: true, least: 6, connections: 2, how: `401, token, ${GRAPH}` },
  { name: 'public digest', image: `/app@${digest}`, least: 4, connections: 1, how: GRAPH },
  { name: 'a digest seen before', after: `/app@${digest}`, image: '/app:1', least: 1, connections: 1, how: 'HEAD' },
  { name: `${LAYERS} layers`, image: '/app:layers', least: 3 + LAYERS, connections: CONCURRENT_LAYERS, how: GRAPH },
  { name: 'an index', image: '/app:index', least: 5, connections: 1, how: `${GRAPH}, and the index` },
];

/** How often a registry is asked for an image that Pullguard never saw, against the least that tells as much. */
export async function countColdRequests(options: {
  readonly certificate: Certificate;
  readonly write: (text: string) => void;
}): Promise<void> {
  const { certificate, write } = options;
  const open = await startCountingRegistry(certificate.tls);
  const closed = await startBearerRegistry(certificate);
  try {
    const [digest] = [open, closed].map(fill);
    const rows: Row[] = [];
    for (const it of casesFor(digest ?? '')) {
      const engine = startEngine(it.wantsToken === true ? closed : open, certificate.authority);
      // one engine at a time, which has seen nothing
      // oxlint-disable-next-line no-await-in-loop
      rows.push(await count(it, engine, it.wantsToken === true ? closed : { ...open, service: undefined }));
    }
    write('\nCold checks (requests and connections to the registry, and to its token service)\n');
    write(
      table([
        ['', 'requests', 'least', 'twice', 'connections', 'least', 'the least is'],
        ...rows.map(({ it, requests, repeated, opened }) => [
          it.name,
          ...[requests, it.least, repeated, opened, it.connections].map(String),
          it.how,
        ]),
      ]),
    );
    const isLeast = rows.every(({ it, requests, repeated }) => requests <= it.least && repeated === 0);
    write(aim('no more requests than the least, none twice', isLeast));
    const isReused = rows.every(({ it, opened }) => opened <= it.connections);
    write(aim('no more connections than the least', isReused));
  } finally {
    await Promise.all([open.close(), closed.close()]);
  }
}

/** One repository with all that the cases ask for; the digest is that of `app:1`. */
function fill(registry: CountingRegistry): string {
  const repository = registry.store.repository('app');
  const { digest } = repository.addImage({ tags: ['1'] });
  const layers = Array.from({ length: LAYERS }, (_, at) => ({ [`app/${at}`]: `layer ${at}\n` }));
  repository.addImage({ tags: ['layers'], layers });
  const entries = ['amd64', 'arm64'].map((architecture) =>
    repository.addImage({ platform: { os: 'linux', architecture }, layers: [{ arch: architecture }] }),
  );
  repository.addIndex(entries, { tags: ['index'] });
  return digest;
}

function startEngine({ host }: CountingRegistry, authority: string): LiveEngine {
  return createLiveEngine(
    {
      secrets: manifestSecretSource({ secrets: [], serviceAccounts: [] }),
      resolve: createResolver(new Map()),
      clusterAddresses: undefined,
      nodePlatforms: () => undefined,
    },
    policyFor(host, authority),
    {},
  );
}

type Asked = CountingRegistry & { readonly service: Counted | undefined };
type Row = { readonly it: Case; readonly requests: number; readonly repeated: number; readonly opened: number };

async function count(it: Case, engine: LiveEngine, { service, ...registry }: Asked): Promise<Row> {
  try {
    if (it.after !== undefined) await ask(engine, `${registry.host}${it.after}`);
    registry.reset();
    service?.reset();
    await ask(engine, `${registry.host}${it.image}`);
    const lines = [...registry.requests(), ...(service?.requests() ?? [])];
    // the request that earned the 401 is sent again with the token, as it must be
    const challenged = service === undefined ? 0 : 1;
    return {
      it,
      requests: lines.length,
      repeated: lines.length - new Set(lines).size - challenged,
      opened: registry.gate.opened() + (service?.opened() ?? 0),
    };
  } finally {
    await engine.close();
  }
}

const POD: PodDemand = {
  namespace: 'default',
  serviceAccount: 'default',
  imagePullSecrets: [],
  platforms: undefined,
  isTemplate: false,
  deadline: undefined,
};

async function ask(engine: LiveEngine, image: string): Promise<void> {
  const question = { image, pullPolicy: 'Always', pod: POD, maxPullSeconds: undefined } as const;
  const { outcome } = await engine.predict(question, AbortSignal.timeout(30_000));
  if (outcome.kind !== 'pullable' || outcome.depth === 'exists')
    throw new Error(`${image}: ${JSON.stringify(outcome)}`);
}
