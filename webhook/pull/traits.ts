import type { ClientStyle } from '../registry/token.ts';
import type { PlatformMatch } from './platform-match.ts';

/** Where runtimes part in what they pull: pull-parity part I as a table. Each field names the rule behind it. */
export type RuntimeTraits = {
  /** Two runtimes with the same text judge alike. */
  readonly name: string;
  readonly style: ClientStyle;
  /** E13: Go does before 1.22, and later where a module is older; false where no build does. */
  readonly offersRsaKeyExchange: boolean;
  /** D7: containerd's HEAD is final, dockerd asks again by GET whatever HEAD said, containers/image never sends HEAD. */
  readonly firstRequest: 'head' | 'head-then-get' | 'get';
  /** D8: 500, 503 and 504 once more, on the last host. */
  readonly retriesServerErrors: boolean;
  /** E4, E9, E11: what the next endpoint is for: one request, finding the image, or the whole pull anew. */
  readonly fallsBackFor: 'each-request' | 'resolving' | 'whole-pull';
  /** D17: which host's failure is reported. */
  readonly ranking: 'furthest' | 'first-but-404' | 'last';
  /** D13: bytes of what a name resolves to; dockerd's graph driver has no limit. */
  readonly maxManifestBytes: number | undefined;
  /** D13: containers/image reads no manifest below an index that exceeds it either. */
  readonly limitsEveryManifest: boolean;
  /** D10: where the digest of a tag comes from when it took a GET. */
  readonly digestOfGet: 'header' | 'body';
  /** D11: whose type decides: that of the GET, or what HEAD or the index above said. */
  readonly typeOf: 'get' | 'descriptor';
  /** dockerd's first GET of a layer only tells how long it is, and may fail (moby `layerDescriptor.Download`). */
  readonly asksLayersTwice: boolean;
  /** dockerd from 23.0 to 27 asks by tag where what HEAD said is not there (moby `pullTag`). */
  readonly asksTagForLostDigest: boolean;
  /** I1: dockerd's graph driver wants Content-Length beside Docker-Content-Digest. */
  readonly needsContentLength: boolean;
  /** F15. `off-by-default`: an environment variable of the daemon brings it back. */
  readonly schema1: 'converted' | 'off-by-default' | 'refused';
  /** F15: schema 1 without a signature cannot be read. */
  readonly wantsSignature: boolean;
  /** F2. */
  readonly matches: PlatformMatch;
  /** F1: containers/image compares what an index says as it is written, where others bring spellings together. */
  readonly comparesSpelling: boolean;
  /** F5: every matching entry is fetched, not only the best. */
  readonly fetchesAllMatches: boolean;
  /** F4: what becomes of an index entry that names no platform. */
  readonly entryWithoutPlatform: 'judged-by-config' | 'accepted' | 'accepted-by-oci' | 'skipped';
  /** F4: an image is as large as the best entry that names a platform, which CRI adds up whether it was fetched or not. */
  readonly sizesNamedEntry: boolean;
  /** F7. */
  readonly nestedIndex: 'followed' | 'refused';
  /** F6: dockerd's graph driver refuses an image of another operating system. */
  readonly refusesOtherOs: boolean;
  /**
   * F8, F9: dockerd's graph driver takes any config and layer whose type begins as those of images do; containers/image
   * wants a docker manifest to hold docker's layers alone, and an OCI manifest to have OCI's config.
   */
  readonly imageTypes: 'listed' | 'by-prefix' | 'by-format';
  /** What a document must call itself, beside the type that it is served as. */
  readonly typeInside: 'any' | 'as-served' | 'schema2';
  /** F8. */
  readonly artifact: 'pulled' | 'refused';
  /** F9: containerd's client fetches no known layer before it knows the config's type. */
  readonly layersUnderUnknownConfig: 'pulled' | 'refused';
  /** F9: an image's config with a layer of a type that nobody knows. */
  readonly unknownLayer: 'pulled' | 'refused';
  /** F10: docker's own zstd layer type; to containers/image it matters in a docker manifest alone. */
  readonly knowsDockerZstd: boolean;
  /** F10: dockerd's graph driver unpacks zstd since 23.0, whatever the type says. */
  readonly unpacksZstd: boolean;
  /** F10: packed bytes under a plain tar type. */
  readonly gzipLabelledTar: 'fails' | 'unpacks';
  /** F13: containers/image compares them since 5.34, and takes a config without any for one whose maker knew none. */
  readonly diffIds: 'one-for-each' | 'all-or-none' | 'unread';
  /** F13: which sizes in descriptors are compared. */
  readonly checksSizes: 'all' | 'config' | 'none';
  /**
   * F11: a foreign layer's own URLs come before the registry; containers/image asks each, and the registry never; dockerd
   * on Linux asks the registry alone (moby `layerDescriptor.open`).
   */
  readonly foreignUrls: 'first' | 'instead' | 'passed-over';
};
