import { createHash } from 'node:crypto';
import { sha256 } from '../../webhook/demo/image-store.ts';
import type { Descriptor } from '../../webhook/image/descriptor.ts';
import type { PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { LayerQuestion } from '../../webhook/pull/content-check.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import { createRegistryClient, type RegistryClient } from '../../webhook/registry/client.ts';
import { createConnect } from '../../webhook/registry/connect.ts';
import { unguarded } from '../../webhook/registry/guard.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { createTransport } from '../../webhook/registry/transport.ts';

export const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar';
export const REPOSITORY = 'team/app';
/** Long enough for a loaded machine, short enough to end a test that hangs. */
export const patience = (): AbortSignal => AbortSignal.timeout(30_000);

export type LayerRig = {
  readonly clientFor: (host: string, repository?: string) => RegistryClient;
  readonly close: () => Promise<void>;
};

/** Real clients over one real transport. */
export function startLayerRig(options: { readonly answerMs?: number } = {}): LayerRig {
  const connect = createConnect({ resolve: createResolver(), guard: unguarded, now: () => new Date() });
  const timeouts = { answerMs: options.answerMs ?? 30_000, keepAliveMs: 4_000, probeMs: 500 };
  const transport = createTransport({ connect, connectionsPerHost: 8, timeouts });
  return {
    clientFor: (host, repository = REPOSITORY) =>
      createRegistryClient({
        transport,
        endpoint: {
          scheme: 'http',
          authority: host,
          pathPrefix: '/v2',
          repository,
          namespace: undefined,
          tls: { isVerified: true, authorities: [], clientPairs: [] },
          headers: {},
          dialTimeoutMs: 5_000,
          declaredBy: undefined,
        },
        login: undefined,
        identity: { by: 'anonymous' },
        style: 'containerd',
        budget: unlimited,
        realms: { isStrict: false, pairs: [] },
        countRequest: () => undefined,
        note: () => undefined,
        now: () => performance.now(),
      }),
    close: transport.close,
  };
}

/** A layer's descriptor as its manifest would have it. */
export function describeLayer(bytes: Uint8Array, mediaType = `${OCI_TAR}+gzip`): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length, urls: [], platform: undefined };
}

/** As containerd asks, unless it is told otherwise. */
export function questionOf(
  client: RegistryClient,
  layer: Descriptor,
  more: Partial<Omit<LayerQuestion, 'client' | 'layer'>> = {},
): LayerQuestion {
  return { client, layer, diffId: undefined, checksSize: true, gzipLabelledTar: 'fails', unpacksZstd: true, ...more };
}

/** What is wrong with the layer, or the kind of another outcome; `sound` where nothing is. */
export function verdictOf(result: { readonly ok: boolean; readonly error?: PullOutcome }): string {
  const { error } = result;
  if (error === undefined) return 'sound';
  if (error.kind === 'unreachable') return `unreachable: ${error.phase}`;
  return error.kind === 'damaged' ? error.problem : error.kind;
}

/** Bytes that do not compress and are the same each time. */
export function noise(length: number, seed = 'noise'): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < length; at += 64) blocks.push(createHash('sha512').update(`${seed} ${at}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}
