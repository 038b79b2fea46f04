import { err, ok, type Result } from '../image/result.ts';

/**
 * One container runtime as far as pulls differ (pull-parity part I). `version` is containerd's, the
 * engine's or CRI-O's; `path` is containerd's way of pulling from 2.1 on: its transfer service or the CRI plugin's own.
 */
export type Runtime =
  | { readonly family: 'containerd'; readonly version: RuntimeVersion; readonly path: 'transfer' | 'local' }
  | { readonly family: 'docker'; readonly version: RuntimeVersion; readonly store: DockerStore }
  | { readonly family: 'crio'; readonly version: RuntimeVersion };

type DockerStore = 'graph' | 'containerd';
export type RuntimeFamily = Runtime['family'];
export type RuntimeVersion = readonly [major: number, minor: number];

/** The versions in use today, one for each that pulls differently (pull-parity I7). */
const CONTAINERD_VERSIONS: readonly RuntimeVersion[] = [
  [1, 7],
  [2, 0],
  [2, 1],
  [2, 3],
  [2, 4],
];
const DOCKER_VERSIONS: readonly RuntimeVersion[] = [
  [20, 10],
  [26, 1],
  [28, 5],
  [29, 0],
];
const CRIO_VERSIONS: readonly RuntimeVersion[] = [
  [1, 33],
  [1, 34],
  [1, 35],
];

const SHAPE =
  /^(?<family>containerd|docker|crio)(?:@(?<major>\d{1,3})(?:\.(?<minor>\d{1,3}))?(?:\.\d{1,4})?)?(?:\/(?<path>[a-z]+))?$/u;

export const isAtLeast = (version: RuntimeVersion, [major, minor]: RuntimeVersion): boolean =>
  version[0] > major || (version[0] === major && version[1] >= minor);

/**
 * Reads `containerd[@VERSION][/transfer|/local]`, `docker[@VERSION][/graph|/containerd]` or `crio[@VERSION]` and
 * returns every variant that it leaves possible, never none.
 */
export function parseRuntime(text: string): Result<readonly Runtime[]> {
  const groups = SHAPE.exec(text)?.groups;
  const family = groups?.['family'];
  if (groups === undefined || family === undefined) {
    return err(
      `"${text}" is no runtime: expected containerd[@VERSION][/transfer|/local], docker[@VERSION][/graph|/containerd] or crio[@VERSION], for example containerd@2.1/transfer`,
    );
  }
  const major = groups['major'] === undefined ? undefined : Number(groups['major']);
  const minor = groups['minor'] === undefined ? undefined : Number(groups['minor']);
  const path = groups['path'];
  if (family === 'containerd') return containerdVariants(text, versionsOf(CONTAINERD_VERSIONS, major, minor), path);
  if (family === 'docker') return dockerVariants(text, versionsOf(DOCKER_VERSIONS, major, minor), path);
  if (path !== undefined) return err(`"${text}" is no runtime: crio has no pull path`);
  return ok(versionsOf(CRIO_VERSIONS, major, minor).map((version) => ({ family: 'crio', version })));
}

function versionsOf(
  known: readonly RuntimeVersion[],
  major: number | undefined,
  minor: number | undefined,
): readonly RuntimeVersion[] {
  if (major === undefined) return known;
  if (minor !== undefined) return [[major, minor]];
  const same = known.filter((version) => version[0] === major);
  return same.length > 0 ? same : [[major, 0]];
}

function containerdVariants(
  text: string,
  versions: readonly RuntimeVersion[],
  path: string | undefined,
): Result<readonly Runtime[]> {
  if (path !== undefined && path !== 'transfer' && path !== 'local') {
    return err(`"${text}" is no runtime: containerd's pull path is /transfer or /local`);
  }
  const variants = versions.flatMap((version): readonly Runtime[] => {
    const paths = isAtLeast(version, [2, 1]) ? (['transfer', 'local'] as const) : (['local'] as const);
    return paths
      .filter((one) => path === undefined || one === path)
      .map((one) => ({ family: 'containerd', version, path: one }));
  });
  return variants.length > 0 ? ok(variants) : err(`"${text}" is no runtime: containerd has /transfer from 2.1 on`);
}

function dockerVariants(
  text: string,
  versions: readonly RuntimeVersion[],
  store: string | undefined,
): Result<readonly Runtime[]> {
  if (store !== undefined && store !== 'graph' && store !== 'containerd') {
    return err(`"${text}" is no runtime: docker's image store is /graph or /containerd`);
  }
  return ok(
    versions.flatMap((version): readonly Runtime[] => {
      const usual: readonly DockerStore[] = isAtLeast(version, [29, 0]) ? ['containerd', 'graph'] : ['graph'];
      const stores: readonly DockerStore[] = store === undefined ? usual : [store];
      return stores.map((one) => ({ family: 'docker', version, store: one }));
    }),
  );
}

/** `containerd 2.1 (transfer service)`, for messages and explanations. */
export function formatRuntime(runtime: Runtime): string {
  const version = runtime.version.join('.');
  if (runtime.family === 'containerd') {
    return `containerd ${version} (${runtime.path === 'transfer' ? 'transfer service' : 'client pull'})`;
  }
  if (runtime.family === 'docker') return `dockerd ${version} (${runtime.store} image store)`;
  return `CRI-O ${version}`;
}
