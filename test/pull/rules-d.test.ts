import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createImageStore, type Repository, type StoredImage } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../webhook/image/media-type.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { isSuccess } from '../../webhook/pull/attempt.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { cut, only, reply, status, withHeaders, withoutHeader } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService } from '../support/token-service.ts';
import { predict } from './rig.ts';

/** What is asked of a node, and what it meets: `mirror` comes before the registry itself. */
type Scene = {
  readonly image: StoredImage;
  readonly registry: ScriptedRegistry;
  readonly mirror: ScriptedRegistry;
  readonly tokens: TokenService;
};

/** Each outcome is that of containerd's own resolver, asked the same way in 1.7, 2.0, 2.1, 2.3 and 2.4. */
type Row = {
  readonly rule: string;
  readonly name: string;
  readonly fill?: (repository: Repository) => StoredImage;
  readonly registry?: (scene: Scene) => readonly Bend[];
  readonly mirror?: (scene: Scene) => readonly Bend[];
  readonly capabilities?: string;
  readonly byDigest?: true;
  /** `local` and `transfer`: only that way of pulling does. */
  readonly pulls: boolean | 'local' | 'transfer';
};

const HEAD = { kind: 'manifest', method: 'HEAD' } as const;
const GET = { kind: 'manifest', method: 'GET' } as const;
const TAG = { kind: 'manifest', reference: '1' } as const;
const AMD64 = { os: 'linux', architecture: 'amd64' };
const S390X = { os: 'linux', architecture: 's390x' };

/** An index that has one entry for the node, and others. */
function indexWith(...others: readonly object[]): (repository: Repository) => StoredImage {
  return (repository) => {
    const image = repository.addImage();
    const { mediaType, digest, size } = image;
    const manifests = [{ mediaType, digest, size, platform: AMD64 }, ...others];
    repository.addManifest({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX, ['1']);
    return image;
  };
}

/** Answers as the token service wants it, for a repository that has another name here. */
const renamed =
  ({ tokens }: Scene): Bend =>
  (question, answer) => {
    const { route } = question;
    const repository = `proxy/${'repository' in route ? route.repository : ''}`;
    return tokens.bearerAuth({ ...question, route: { kind: 'tags', repository } }, answer);
  };

const absent = `sha256:${'ab'.repeat(32)}`;
const noDigest = only(HEAD, withoutHeader('docker-content-digest'));
const ROWS: readonly Row[] = [
  {
    rule: 'D4',
    name: 'a challenge for another name of the repository',
    registry: (scene) => [renamed(scene)],
    pulls: true,
  },
  { rule: 'D7', name: 'a mirror whose HEAD says 300', mirror: () => [only(HEAD, status(300, 'X'))], pulls: false },
  { rule: 'D7', name: 'a mirror whose HEAD says 500', mirror: () => [only(HEAD, status(500, 'X'))], pulls: true },
  ...[206, 204, 201].map((code) => ({
    rule: 'D7',
    name: `HEAD ${code}`,
    registry: () => [only({ ...TAG, ...HEAD }, (_question, answer) => ({ ...answer, status: code })) satisfies Bend],
    pulls: true,
  })),
  ...[status(404, 'X'), status(500, 'X'), cut('start'), cut(10)].map((bend, at) => ({
    rule: 'D10',
    name: `a mirror whose HEAD has no digest and whose GET fails (${['404', '500', 'no answer', 'a part'][at]})`,
    mirror: () => [noDigest, only({ ...TAG, ...GET }, bend)],
    pulls: false,
  })),
  {
    rule: 'D10',
    name: 'a digest that is asked for, and another in the header',
    byDigest: true,
    registry: () => [only(HEAD, withHeaders({ 'docker-content-digest': absent }))],
    pulls: true,
  },
  {
    rule: 'D11',
    name: 'a space after the type',
    registry: () => [only({ kind: 'manifest' }, withHeaders({ 'content-type': `${OCI_MANIFEST} ; charset=utf-8` }))],
    pulls: false,
  },
  {
    rule: 'D11',
    name: 'a type in upper case',
    registry: () => [only({ kind: 'manifest' }, withHeaders({ 'content-type': OCI_MANIFEST.toUpperCase() }))],
    pulls: false,
  },
  {
    rule: 'D12',
    name: 'an odd digest for another platform',
    fill: indexWith({ mediaType: OCI_MANIFEST, digest: 'md5:00', size: 7, platform: S390X }),
    pulls: true,
  },
  {
    rule: 'F5',
    name: 'an odd digest for no platform',
    fill: indexWith({ mediaType: OCI_MANIFEST, digest: 'md5:00', size: 7 }),
    pulls: 'local',
  },
  {
    rule: 'F5',
    name: 'content of an unknown kind that is missing',
    fill: indexWith({ mediaType: 'application/vnd.example', digest: absent, size: 7 }),
    pulls: 'local',
  },
  {
    rule: 'D14',
    name: 'HEAD knows a manifest as a blob alone, GET knows it',
    byDigest: true,
    registry: ({ image }) => [
      only(HEAD, status(404, 'MANIFEST_UNKNOWN')),
      only({ path: `/v2/team/app/blobs/${image.digest}` }, reply(200, { 'content-type': OCI_MANIFEST })),
    ],
    pulls: true,
  },
  {
    rule: 'D17',
    name: 'a mirror that may only resolve, and has a blob that the registry lacks',
    capabilities: '"resolve"',
    registry: () => [only({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'))],
    pulls: true,
  },
  {
    rule: 'D17',
    name: 'a mirror that may only push, and has a manifest that the registry lacks',
    capabilities: '"push"',
    registry: () => [only(GET, status(404, 'MANIFEST_UNKNOWN'))],
    pulls: true,
  },
];

describe('what containerd pulls (pull-parity D, F)', () => {
  let transport: Transport;
  before(() => {
    transport = createWire();
  });
  after(() => transport.close());

  for (const row of ROWS) {
    for (const runtime of ['containerd@1.7', 'containerd@2.1/local', 'containerd@2.4/transfer']) {
      const does =
        row.pulls === true || (row.pulls !== false && runtime.endsWith('transfer') === (row.pulls === 'transfer'));
      it(`${row.rule}: ${runtime}, ${row.name}: ${does ? 'never denied' : 'never pullable'}`, async () => {
        const scene = await open(row);
        const { image, registry, mirror, tokens } = scene;
        const host = `reg.test:${registry.port}`;
        for (const bend of row.registry?.(scene) ?? []) registry.bend({}, bend);
        for (const bend of row.mirror?.(scene) ?? []) mirror.bend({}, bend);

        const prediction = await predict(`${host}/team/app${row.byDigest === true ? `@${image.digest}` : ':1'}`, {
          transport,
          runtime,
          setup: {
            certsD: memoryTree('/etc/containerd/certs.d', { [`${host}/hosts.toml`]: hostsToml(row, host, mirror) }),
          },
        }).finally(() => Promise.all([registry.close(), mirror.close(), tokens.close()]));

        const { outcome, isConclusive } = prediction;
        const text = JSON.stringify(prediction);
        if (does) assert.ok(isSuccess(outcome) || !isConclusive, text);
        else assert.ok(!isSuccess(outcome), text);
      });
    }
  }
});

function hostsToml({ mirror, capabilities }: Row, host: string, { port }: ScriptedRegistry): string {
  const may = capabilities ?? (mirror === undefined ? undefined : '"pull", "resolve"');
  const table = may === undefined ? '[host]\n' : `[host."http://other.test:${port}"]\n  capabilities = [${may}]\n`;
  return `server = "http://${host}"\n${table}`;
}

async function open({ fill }: Row): Promise<Scene> {
  const store = createImageStore();
  const repository = store.repository('team/app');
  const image = fill?.(repository) ?? repository.addImage({ tags: ['1'] });
  const [registry, mirror, tokens] = await Promise.all([
    startScriptedRegistry({ store }),
    startScriptedRegistry({ store }),
    startTokenService(),
  ]);
  return { image, registry, mirror, tokens };
}
