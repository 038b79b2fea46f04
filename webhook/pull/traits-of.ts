import { assertNever } from '../image/result.ts';
import { isAtLeast, type Runtime } from '../outcome/runtime.ts';
import {
  matchAnyAmd64,
  matchCompatible,
  matchContainersImage,
  matchExactly,
  matchExactlyOrArm,
} from './platform-match.ts';
import type { RuntimeTraits } from './traits.ts';

/** As containerd has it, with its two misprints of 1024. */
const CONTAINERD_MAX_MANIFEST = 4 * 1048 * 1048;
const CONTAINERS_IMAGE_MAX_MANIFEST = 4 * 1024 * 1024;

export function traitsOf(runtime: Runtime): RuntimeTraits {
  switch (runtime.family) {
    case 'containerd':
      return containerd(runtime);
    case 'docker':
      return runtime.store === 'containerd' ? dockerContainerdStore(runtime) : dockerGraph(runtime);
    case 'crio':
      return crio(runtime);
    default:
      return assertNever(runtime);
  }
}

function containerd(runtime: Extract<Runtime, { family: 'containerd' }>): RuntimeTraits {
  const isTransfer = runtime.path === 'transfer';
  const since20 = isAtLeast(runtime.version, [2, 0]);
  const since21 = isAtLeast(runtime.version, [2, 1]);
  return {
    name: `containerd ${isTransfer ? 'transfer' : 'local'} ${since21 ? '2.1' : since20 ? '2.0' : '1.7'}`,
    style: 'containerd',
    offersRsaKeyExchange: !since21,
    firstRequest: 'head',
    retriesServerErrors: since21,
    fallsBackFor: 'each-request',
    ranking: since20 ? 'furthest' : 'first-but-404',
    maxManifestBytes: CONTAINERD_MAX_MANIFEST,
    limitsEveryManifest: false,
    digestOfGet: 'body',
    typeOf: 'descriptor',
    asksLayersTwice: false,
    asksTagForLostDigest: false,
    needsContentLength: false,
    schema1: since21 ? 'refused' : since20 ? 'off-by-default' : 'converted',
    wantsSignature: true,
    matches: isTransfer ? matchExactly : matchCompatible,
    comparesSpelling: false,
    fetchesAllMatches: isTransfer,
    entryWithoutPlatform: 'judged-by-config',
    sizesNamedEntry: true,
    nestedIndex: 'followed',
    refusesOtherOs: false,
    imageTypes: 'listed',
    typeInside: 'any',
    artifact: 'pulled',
    layersUnderUnknownConfig: isTransfer ? 'pulled' : 'refused',
    unknownLayer: isTransfer ? 'pulled' : 'refused',
    knowsDockerZstd: since20,
    unpacksZstd: true,
    gzipLabelledTar: 'fails',
    diffIds: 'one-for-each',
    checksSizes: 'all',
    foreignUrls: 'first',
  };
}

function dockerGraph(runtime: Extract<Runtime, { family: 'docker' }>): RuntimeTraits {
  const since23 = isAtLeast(runtime.version, [23, 0]);
  const since26 = isAtLeast(runtime.version, [26, 0]);
  const since28 = isAtLeast(runtime.version, [28, 0]);
  const since282 = isAtLeast(runtime.version, [28, 2]);
  return {
    name: `docker graph ${since282 ? '28.2' : since28 ? '28' : since26 ? '26' : since23 ? '23' : '20.10'}`,
    style: 'docker',
    offersRsaKeyExchange: true,
    firstRequest: 'head-then-get',
    retriesServerErrors: false,
    fallsBackFor: 'whole-pull',
    ranking: 'last',
    maxManifestBytes: undefined,
    limitsEveryManifest: false,
    digestOfGet: 'header',
    typeOf: 'get',
    asksLayersTwice: true,
    asksTagForLostDigest: since23 && !since28,
    needsContentLength: true,
    schema1: schema1OfDocker(runtime),
    wantsSignature: true,
    matches: since23 ? matchAnyAmd64 : matchExactlyOrArm,
    comparesSpelling: false,
    fetchesAllMatches: false,
    entryWithoutPlatform: since23 ? 'accepted' : 'skipped',
    sizesNamedEntry: false,
    nestedIndex: since23 ? 'followed' : 'refused',
    refusesOtherOs: true,
    imageTypes: 'by-prefix',
    typeInside: 'as-served',
    artifact: 'refused',
    layersUnderUnknownConfig: 'refused',
    unknownLayer: 'refused',
    knowsDockerZstd: true,
    unpacksZstd: since23,
    gzipLabelledTar: 'unpacks',
    diffIds: 'one-for-each',
    checksSizes: 'none',
    foreignUrls: 'passed-over',
  };
}

/** With either store: containerd's converts too where the daemon asks it to (pull-parity F15, I5). */
function schema1OfDocker({ version }: Extract<Runtime, { family: 'docker' }>): RuntimeTraits['schema1'] {
  if (isAtLeast(version, [28, 2])) return 'refused';
  return isAtLeast(version, [26, 0]) ? 'off-by-default' : 'converted';
}

function dockerContainerdStore(runtime: Extract<Runtime, { family: 'docker' }>): RuntimeTraits {
  return {
    ...containerd({ family: 'containerd', version: [2, 1], path: 'local' }),
    name: `docker containerd ${runtime.version.join('.')}`,
    offersRsaKeyExchange: true,
    schema1: schema1OfDocker(runtime),
    entryWithoutPlatform: 'accepted',
    sizesNamedEntry: false,
    // seen with containerd's own client only
    layersUnderUnknownConfig: 'pulled',
  };
}

function crio(runtime: Extract<Runtime, { family: 'crio' }>): RuntimeTraits {
  const hasArtifactStore = isAtLeast(runtime.version, [1, 34]);
  const readsDiffIds = isAtLeast(runtime.version, [1, 33]);
  // containers/image since 5.38
  const knowsDockerZstd = isAtLeast(runtime.version, [1, 35]);
  return {
    name: `crio ${knowsDockerZstd ? '1.35' : hasArtifactStore ? '1.34' : readsDiffIds ? '1.33' : '1.32'}`,
    style: 'crio',
    offersRsaKeyExchange: true,
    firstRequest: 'get',
    retriesServerErrors: false,
    fallsBackFor: 'resolving',
    ranking: 'last',
    maxManifestBytes: CONTAINERS_IMAGE_MAX_MANIFEST,
    limitsEveryManifest: true,
    digestOfGet: 'body',
    typeOf: 'get',
    asksLayersTwice: false,
    asksTagForLostDigest: false,
    needsContentLength: false,
    schema1: 'converted',
    wantsSignature: false,
    matches: matchContainersImage,
    comparesSpelling: true,
    fetchesAllMatches: false,
    entryWithoutPlatform: 'accepted-by-oci',
    sizesNamedEntry: false,
    nestedIndex: 'refused',
    refusesOtherOs: false,
    imageTypes: 'by-format',
    typeInside: 'schema2',
    artifact: hasArtifactStore ? 'pulled' : 'refused',
    layersUnderUnknownConfig: 'pulled',
    unknownLayer: 'pulled',
    knowsDockerZstd,
    unpacksZstd: true,
    gzipLabelledTar: 'unpacks',
    diffIds: readsDiffIds ? 'all-or-none' : 'unread',
    checksSizes: 'config',
    foreignUrls: 'instead',
  };
}
