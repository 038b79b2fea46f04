import pLimit from 'p-limit';
import { digestAlgorithm, parseDigest } from '../image/digest.ts';
import { isEncryptedLayerType, layerCompression } from '../image/media-type.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { RegistryClient } from '../registry/client.ts';
import { pathOf } from '../registry/endpoint.ts';
import { outcomeOfFailure } from '../registry/failure-outcome.ts';
import type { ContentCheck, LayerQuestion } from './content-check.ts';
import { readLayer, type LayerFacts } from './layer-facts.ts';
import { createSharedReads } from './shared-reads.ts';
import type { Strangeness } from './strangeness.ts';

export type ContentOptions = {
  /** Hears how many bytes of layers were read in all, each time a mebibyte has come. */
  readonly onRead: (totalBytes: number) => void;
};

/** Half of the connections that `check` holds to one host: the headers of other images must not wait for layers. */
const CONCURRENT_READS = 4;
const REPORTED_BYTES = 1024 * 1024;

/** Reads layers whole for `--verify content`. What one layer holds is read once, however many images have it. */
export function createContentCheck(options: ContentOptions): ContentCheck {
  const limit = pLimit(CONCURRENT_READS);
  const reads = createSharedReads<Result<LayerFacts, PullOutcome>>((read) => read.ok);
  let total = 0;
  let reported = 0;
  const onBytes = (bytes: number): void => {
    total += bytes;
    if (total - reported < REPORTED_BYTES) return;
    reported = total;
    options.onRead(total);
  };

  return async (question, signal) => {
    const { client, layer, diffId } = question;
    const parsed = parseDigest(diffId ?? '');
    const diffAlgorithm = parsed.ok ? digestAlgorithm(parsed.value) : 'sha256';
    const read = await reads.get(
      readKey(question, diffAlgorithm),
      (until) => limit(() => readLayer({ client, layer, diffAlgorithm, onBytes }, until)),
      signal,
    );
    const evidence = evidenceAt(client, layer.digest);
    if (read === undefined) {
      return err(outcomeOfFailure({ kind: 'timeout', during: 'answer' }, evidence, client.endpoint.authority));
    }
    if (!read.ok) return read;
    const problem = problemOf(read.value, question);
    if (problem === undefined) return ok(undefined);
    const { evidence: seen, isDigestTrue, strangeness } = read.value;
    // the bytes may have been read for another repository of that registry
    const own = seen.endpoint === evidence.endpoint ? { ...evidence, status: seen.status } : seen;
    if (strangeness !== undefined && !isDigestTrue) {
      // a proxy between us and the registry, which the nodes may not have
      return err({ kind: 'registry-error', reason: STRANGE[strangeness], evidence: own });
    }
    return err({ kind: 'damaged', part: 'layer', digest: layer.digest, problem, evidence: own });
  };
}

const STRANGE: Readonly<Record<Strangeness, string>> = Object.freeze({
  page: 'it answers with a web page in place of a layer',
  encoded: 'it answers in an encoding that was not asked for',
});

/** Everything that a layer's bytes hang on: where they lie, as whom they were asked, and what they should be. */
function readKey({ client, layer }: LayerQuestion, diffAlgorithm: string): string {
  const { scheme, authority, pathPrefix, namespace } = client.endpoint;
  return JSON.stringify([scheme, authority, pathPrefix, namespace, client.identity, layer.digest, diffAlgorithm]);
}

function evidenceAt({ endpoint, identity }: RegistryClient, digest: string): Evidence {
  const scheme = endpoint.scheme === 'http' ? 'http' : 'https';
  return {
    endpoint: `${scheme}://${endpoint.authority}`,
    method: 'GET',
    path: pathOf(endpoint, { kind: 'blob', digest }).split('?', 1)[0] ?? '',
    status: undefined,
    code: undefined,
    askedAs: identity,
    declaredBy: endpoint.declaredBy,
  };
}

/** What a runtime would find wrong, in the order in which it would: the content first, then what it unpacks to. */
export function problemOf(facts: LayerFacts, question: Omit<LayerQuestion, 'client'>): string | undefined {
  return contentProblem(facts, question) ?? unpackProblem(facts, question);
}

function contentProblem(facts: LayerFacts, { layer, checksSize }: Omit<LayerQuestion, 'client'>): string | undefined {
  const { bytes, isDigestTrue } = facts;
  if (facts.wasCut && !isDigestTrue) return `breaks off after ${bytes} of ${layer.size} bytes`;
  if (bytes < layer.size && (checksSize || !isDigestTrue)) {
    return `is shorter than its descriptor says: ${bytes} of ${layer.size} bytes`;
  }
  if (bytes > layer.size && checksSize)
    return `is longer than its descriptor says: ${bytes} instead of ${layer.size} bytes`;
  return isDigestTrue ? undefined : 'has other content than its digest says';
}

function unpackProblem(facts: LayerFacts, question: Omit<LayerQuestion, 'client'>): string | undefined {
  const { layer, diffId, gzipLabelledTar, unpacksZstd } = question;
  const compression = layerCompression(layer.mediaType);
  const isNameless = compression === 'unknown' && gzipLabelledTar !== 'fails';
  const isOpaque = compression === undefined || isNameless || isEncryptedLayerType(layer.mediaType);
  if (diffId === undefined || isOpaque) return undefined;
  const { packing } = facts;
  // docker's own plain type is unpacked by what the bytes say (containerd, images.DiffCompression)
  const isTakenAsTar =
    gzipLabelledTar === 'fails' &&
    (compression === 'none' || compression === 'unknown') &&
    !layer.mediaType.startsWith('application/vnd.docker.');
  if (isTakenAsTar && (packing === 'gzip' || packing === 'zstd')) {
    return `is packed with ${packing}, but its media type says plain tar`;
  }
  if (packing === 'zstd' && !unpacksZstd) return 'is packed with zstd, which this runtime cannot unpack';
  if (facts.unpackEnd === 'undecided') return undefined;
  if (facts.unpackEnd === 'broken') return `cannot be unpacked: its ${packing} stream is broken`;
  // of these two containerd knows neither, the others both
  if (packing === 'bzip2' || packing === 'xz')
    return gzipLabelledTar === 'fails' ? 'is no gzip or tar stream' : undefined;
  if (facts.tarEnd !== 'whole') return tarProblem(facts);
  return facts.diffId === diffId ? undefined : "unpacks to other content than the config's diff id says";
}

/** In the words of Go's archive/tar, which a node's own message has. */
function tarProblem({ packing, tarEnd }: LayerFacts): string {
  if (tarEnd === 'no-tar') return packing === 'none' ? 'is no gzip or tar stream' : 'unpacks to no tar archive';
  return tarEnd === 'invalid-header'
    ? 'is a broken tar archive (archive/tar: invalid tar header)'
    : 'is a tar archive that is cut short (unexpected EOF)';
}
