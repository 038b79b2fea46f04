import type { PodDemand } from '../../webhook/admission/ports.ts';
import { createLiveEngine, type LiveEngine } from '../../webhook/engine/live-engine.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { startTokenService } from '../support/token-service.ts';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry, type CountingRegistry } from './counting-registry.ts';
import { openGate } from './gate.ts';
import { policyFor } from './policy.ts';
import { aim, table } from './table.ts';

type Case = {
  readonly name: string;
  readonly image: (host: string) => string;
  /** What the protocol asks of a client that wants to know as much. */
  readonly least: number;
  readonly how: string;
  /** Asked of the same engine before the counting starts. */
  readonly after?: (host: string) => string;
};

const LAYERS = 10;
const GRAPH = 'HEAD, manifest, config, a HEAD a layer';

/** How often a registry is asked for an image that Pullguard never saw, against the least that tells as much. */
export async function countColdRequests(options: {
  readonly certificate: Certificate;
  readonly write: (text: string) => void;
}): Promise<void> {
  const { certificate, write } = options;
  const open = await startCountingRegistry(certificate.tls);
  const tokens = await startTokenService({ tls: certificate.tls });
  const tokenGate = await openGate(tokens.port);
  // the realm that the registry names is the gate's, where connections are counted
  const bearer: Bend = async (question, answer) => {
    const bent = await tokens.bearerAuth(question, answer);
    const challenge = bent.headers['www-authenticate'];
    if (typeof challenge !== 'string') return bent;
    const moved = challenge.replace(tokens.origin, `https://${tokenGate.host}`);
    return { ...bent, headers: { ...bent.headers, 'www-authenticate': moved } };
  };
  const closed = await startCountingRegistry(certificate.tls, bearer);
  const { authority } = certificate;
  try {
    const digest = fill(open);
    fill(closed);
    const cases: readonly Case[] = [
      { name: 'public tag', image: (host) => `${host}/app:1`, least: 4, how: GRAPH },
      { name: 'public digest', image: (host) => `${host}/app@${digest}`, least: 4, how: GRAPH },
      {
        name: 'tag of a digest seen before',
        after: (host) => `${host}/app@${digest}`,
        image: (host) => `${host}/app:1`,
        least: 1,
        how: 'HEAD',
      },
      { name: `tag, ${LAYERS} layers`, image: (host) => `${host}/app:layers`, least: 3 + LAYERS, how: GRAPH },
      { name: 'tag of an index', image: (host) => `${host}/app:index`, least: 5, how: `${GRAPH}, and the index` },
    ];
    const bearerTag: Case = {
      name: 'Bearer tag',
      image: (host) => `${host}/app:1`,
      least: 6,
      how: `401, token, ${GRAPH}`,
    };
    const rows: Row[] = [];
    // one engine at a time, each of which has seen nothing
    // oxlint-disable-next-line no-await-in-loop
    for (const one of cases)
      rows.push(await count(one, open, authority, { lines: () => [], opened: () => 0, reset: () => undefined }));
    const service = {
      lines: () => tokens.log.lines(),
      opened: tokenGate.opened,
      reset: () => {
        tokens.log.clear();
        tokenGate.reset();
      },
    };
    rows.splice(1, 0, await count(bearerTag, closed, authority, service));
    write('\nCold checks (requests to the registry and its token service)\n');
    write(
      table([
        ['', 'requests', 'least', 'twice', 'connections', 'the least is'],
        ...rows.map(({ it, requests, repeated, opened }) => [
          it.name,
          String(requests),
          String(it.least),
          String(repeated),
          opened,
          it.how,
        ]),
      ]),
    );
    const isLeast = rows.every(({ it, requests, repeated }) => requests <= it.least && repeated === 0);
    write(aim('no more requests than the least, none twice', isLeast));
  } finally {
    await Promise.all([open.close(), closed.close(), tokens.close(), tokenGate.close()]);
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

type TokenCount = {
  readonly lines: () => readonly string[];
  readonly opened: () => number;
  readonly reset: () => void;
};
type Row = { readonly it: Case; readonly requests: number; readonly repeated: number; readonly opened: string };

async function count(it: Case, registry: CountingRegistry, authority: string, tokens: TokenCount): Promise<Row> {
  const engine = createLiveEngine(
    {
      secrets: manifestSecretSource({ secrets: [], serviceAccounts: [] }),
      resolve: createResolver(new Map()),
      clusterAddresses: undefined,
      nodePlatforms: () => undefined,
    },
    policyFor(registry.host, authority),
    {},
  );
  try {
    if (it.after !== undefined) await ask(engine, it.after(registry.host));
    registry.reset();
    tokens.reset();
    await ask(engine, it.image(registry.host));
    const lines = [...registry.requests(), ...tokens.lines()];
    // the request that earned the 401 is sent again with the token, as it must be
    const challenged = tokens.lines().length === 0 ? 0 : 1;
    const opened = [registry.gate.opened(), ...(challenged === 0 ? [] : [tokens.opened()])].join(' + ');
    return { it, requests: lines.length, repeated: lines.length - new Set(lines).size - challenged, opened };
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
  const { outcome } = await engine.predict(
    { image, pullPolicy: 'Always', pod: POD, maxPullSeconds: undefined },
    AbortSignal.timeout(30_000),
  );
  if (outcome.kind !== 'pullable' || outcome.depth === 'exists')
    throw new Error(`${image} is ${JSON.stringify(outcome)}`);
}
