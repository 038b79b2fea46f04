import { jsonAnswer } from '../../../webhook/demo/answer.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { redirect, reply, status, withHeaders, withoutHeader, type Match, type When } from '../../support/bend.ts';
import type { Asked, Condition } from '../condition.ts';
import { insecureRegistry, type Stage } from '../stage.ts';

/** A sound image, in a registry that answers some requests in a way of its own. */
const bent =
  (match: Match, bend: Bend, when?: When) =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, image, files } = await insecureRegistry(stage);
    app.addImage({ tags: ['1'] });
    registry.bend(match, bend, when);
    return { image, files };
  };

/** A sound image by another name than `team/app:1`. */
const asking =
  (name: (digest: string) => string) =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, files } = await insecureRegistry(stage);
    const { digest } = app.addImage({ tags: ['1'] });
    return { image: `${registry.host}/${name(digest)}`, files };
  };

const typed = (contentType: string): Bend => withHeaders({ 'content-type': contentType });
const manifest = { kind: 'manifest' } as const;
const head = { ...manifest, method: 'HEAD' } as const;
const ping = { kind: 'base' } as const;
/** containers/image waits as long as it is told to between its tries. */
const atOnce = { 'retry-after': '0' };
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

export const PROTOCOL: readonly Condition[] = [
  { name: 'a digest', pulls: true, arrange: asking((digest) => `team/app@${digest}`) },
  {
    name: 'a tag that is not there beside a digest that is',
    pulls: true,
    arrange: asking((digest) => `team/app:no@${digest}`),
  },
  { name: 'a digest that is not there', pulls: false, arrange: asking(() => `team/app@${NO_DIGEST}`) },
  { name: 'a tag that is not there', pulls: false, arrange: asking(() => 'team/app:no') },
  { name: 'no tag where there is no latest', pulls: false, arrange: asking(() => 'team/app') },
  { name: 'a repository that is not there', pulls: false, arrange: asking(() => 'team/no:1') },
  ...[400, 403, 404, 405, 500, 501].map((code) => ({
    name: `HEAD answered ${code}, GET as it should be`,
    pulls: true,
    arrange: bent(head, status(code, 'UNKNOWN')),
  })),
  { name: 'no Docker-Content-Digest', pulls: true, arrange: bent(manifest, withoutHeader('docker-content-digest')) },
  {
    name: 'a wrong Docker-Content-Digest',
    pulls: true,
    docker: { pulls: false },
    arrange: bent(manifest, withHeaders({ 'docker-content-digest': NO_DIGEST })),
  },
  {
    name: 'a Docker-Content-Digest that is none',
    pulls: true,
    docker: { pulls: false },
    arrange: bent(manifest, withHeaders({ 'docker-content-digest': 'foo:bar' })),
  },
  ...[401, 403, 404, 500, 502, 503, 504].map((code) => ({
    name: `manifests answered ${code}`,
    pulls: false,
    arrange: bent(manifest, status(code, 'UNKNOWN')),
  })),
  ...[500, 502, 503, 504].map((code) => ({
    name: `manifests answered ${code} once`,
    pulls: false,
    docker: { pulls: true },
    isSpent: true as const,
    arrange: bent(manifest, status(code, 'UNAVAILABLE'), { times: 1 }),
  })),
  { name: 'manifests answered 429', pulls: false, arrange: bent(manifest, status(429, 'TOOMANYREQUESTS', atOnce)) },
  {
    name: 'manifests answered 429 once',
    pulls: true,
    isSpent: true,
    differs: 'a registry that throttles is not asked again, and the answer is no proof',
    arrange: bent(manifest, status(429, 'TOOMANYREQUESTS', atOnce), { times: 1 }),
  },
  ...[403, 404, 500, 503].map((code) => ({
    name: `/v2/ answered ${code}`,
    pulls: false,
    docker: { pulls: true },
    arrange: bent(ping, status(code, 'UNKNOWN')),
  })),
  { name: '/v2/ answered 401 without a challenge', pulls: true, arrange: bent(ping, status(401, 'UNAUTHORIZED')) },
  {
    name: '/v2/ answered by a web page',
    pulls: true,
    arrange: bent(ping, reply(200, { 'content-type': 'text/html' }, '<html>')),
  },
  {
    name: '/v2/ that leads elsewhere',
    pulls: true,
    arrange: bent(
      ping,
      redirect(({ url }) => `${url.origin}/v2/team/app/tags/list`),
    ),
  },
  { name: 'a manifest that leads to its digest', pulls: true, arrange: leadingToDigest },
  {
    name: 'a manifest that leads in circles',
    pulls: false,
    arrange: bent(
      manifest,
      redirect(({ url }) => url.href),
    ),
  },
  {
    name: 'a manifest that leads to a web page',
    pulls: false,
    arrange: bent(manifest, reply(200, { 'content-type': 'text/html' }, '<html>login</html>')),
  },
  { name: 'an empty manifest', pulls: false, arrange: bent(manifest, reply(200, { 'content-type': OCI_MANIFEST })) },
  {
    name: 'a manifest that is no JSON',
    pulls: false,
    arrange: bent(manifest, reply(200, { 'content-type': OCI_MANIFEST }, '{')),
  },
  {
    name: 'JSON that is no manifest',
    pulls: false,
    arrange: bent(manifest, () => jsonAnswer(200, { hello: 'world' }, { 'content-type': OCI_MANIFEST })),
  },
  {
    name: 'a manifest of a type with parameters',
    pulls: true,
    arrange: bent(manifest, typed(`${OCI_MANIFEST}; charset=utf-8`)),
  },
  ...['application/json', 'application/octet-stream', 'text/plain', 'text/html'].map((type) => ({
    name: `a manifest of type ${type}`,
    pulls: false,
    arrange: bent(manifest, typed(type)),
  })),
  { name: 'a manifest of no type', pulls: false, arrange: bent(manifest, withoutHeader('content-type')) },
  {
    name: 'a manifest that calls itself an index',
    pulls: false,
    arrange: bent(manifest, typed('application/vnd.oci.image.index.v1+json')),
  },
  {
    name: 'a manifest of 4.5 MB',
    pulls: false,
    docker: { pulls: true },
    arrange: async (stage) => await largeManifest(stage, 4_500_000),
  },
  { name: 'a manifest of 4.1 MB', pulls: true, arrange: async (stage) => await largeManifest(stage, 4_100_000) },
];

async function leadingToDigest(stage: Stage): Promise<Asked> {
  const { registry, app, image, files } = await insecureRegistry(stage);
  const { digest } = app.addImage({ tags: ['1'] });
  registry.bend({ kind: 'manifest', reference: '1' }, redirect(`/v2/team/app/manifests/${digest}`));
  return { image, files };
}

async function largeManifest(stage: Stage, bytes: number): Promise<Asked> {
  const { app, image, files } = await insecureRegistry(stage);
  const { config, layers } = app.addImage();
  const annotations = { padding: 'x'.repeat(bytes) };
  app.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, annotations }, OCI_MANIFEST, ['1']);
  return { image, files };
}
