import { Agent, request, type Dispatcher } from 'undici';
import type { ImageStore, StoredManifest } from '../../webhook/demo/image-store.ts';
import { decodeManifest } from '../../webhook/image/manifest.ts';

export type PushTarget = {
  readonly origin: string;
  /** PEM text trusted for `https`. */
  readonly authority: string | undefined;
  readonly login: { readonly username: string; readonly password: string } | undefined;
};

/** Uploads a tagged image of the store with all that it points to (distribution specification, "Pushing"). */
export async function pushImage(
  { origin, authority, login }: PushTarget,
  store: ImageStore,
  { repository, tag }: { readonly repository: string; readonly tag: string },
): Promise<void> {
  const dispatcher = new Agent(authority === undefined ? {} : { connect: { ca: authority } });
  const basic = `Basic ${Buffer.from(`${login?.username}:${login?.password}`).toString('base64')}`;
  const authorization = login === undefined ? {} : { authorization: basic };
  const send: Send = async (method, url, headers, body) => {
    const options = { method, dispatcher, body, headers: { ...authorization, ...headers } };
    const response = await request(new URL(url, origin), options);
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${text}`);
    return String(response.headers['location'] ?? '');
  };
  try {
    await pushManifest(send, store, repository, tag);
  } finally {
    await dispatcher.close();
  }
}

type Send = (
  method: Dispatcher.HttpMethod,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
) => Promise<string>;

async function pushManifest(send: Send, store: ImageStore, repository: string, reference: string): Promise<void> {
  const manifest = store.findManifest(repository, reference);
  if (manifest === undefined) throw new Error(`the store has no ${repository} ${reference}`);
  // in turn: a registry refuses a manifest whose content it lacks
  // oxlint-disable-next-line no-await-in-loop
  for (const digest of blobsOf(manifest)) await pushBlob(send, repository, store.findBlob(repository, digest), digest);
  // oxlint-disable-next-line no-await-in-loop
  for (const digest of childrenOf(manifest)) await pushManifest(send, store, repository, digest);
  const headers = { 'content-type': manifest.mediaType };
  await send('PUT', `/v2/${repository}/manifests/${reference}`, headers, manifest.body);
}

async function pushBlob(send: Send, repository: string, blob: Uint8Array | undefined, digest: string): Promise<void> {
  if (blob === undefined) throw new Error(`the store has no blob ${digest} in ${repository}`);
  const location = await send('POST', `/v2/${repository}/blobs/uploads/`, {}, Buffer.alloc(0));
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  await send('PUT', url.href, { 'content-type': 'application/octet-stream' }, blob);
}

function blobsOf({ body, mediaType }: StoredManifest): readonly string[] {
  const manifest = decodeManifest(body, mediaType);
  if (!manifest.ok) throw new Error('cannot be pushed: its manifest does not decode');
  return manifest.value.kind === 'index'
    ? []
    : [manifest.value.config, ...manifest.value.layers].map(({ digest }) => digest);
}

function childrenOf({ body, mediaType }: StoredManifest): readonly string[] {
  const manifest = decodeManifest(body, mediaType);
  return manifest.ok && manifest.value.kind === 'index'
    ? manifest.value.manifests.flatMap(({ digest }) => digest ?? [])
    : [];
}
