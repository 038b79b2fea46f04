import type { ExceededLimit } from '../outcome/outcome.ts';
import { isAtLeast, type Runtime } from '../outcome/runtime.ts';

/** Seconds, as the nodes are declared to be set up; `undefined` for a runtime's default, 0 switches the limit off. */
export type DeclaredStallLimits = { readonly [F in Runtime['family']]: number | undefined };

/** What ends a pull that makes no progress, whatever the variant of the runtime that a node has. */
export type StallLimits = {
  /** Where nothing comes at all. */
  readonly silent: ExceededLimit | undefined;
  /** Where so little comes that no step of progress is reached in time. */
  readonly creeping: Creeping | undefined;
};

export type Creeping = {
  readonly limit: ExceededLimit;
  readonly stepBytes: number;
  /** With less to fetch steps are smaller. */
  readonly fromBytes: number;
};

/** containerd writes what it fetched by buffers of this size, and its transfer service sees what was written. */
const CONTAINERD_STEP = 1024 * 1024;
/** dockerd tells of its progress each so many bytes, or each hundredth of a layer; cri-dockerd hears of nothing else. */
const DOCKER_STEP = 512 * 1024;

/**
 * The runtimes' own limits (pull-parity G5, G6). containerd's client counts every byte, so that only silence trips it;
 * its transfer service counts a blob from the first buffer on, so that silence from the start never does. CRI-O has
 * none by default. Where variants differ the most patient one counts, and none where one has none.
 */
export function stallLimitsOf(runtimes: readonly Runtime[], declared: DeclaredStallLimits): StallLimits {
  const each = runtimes.map((runtime) => stallLimitOf(runtime, declared));
  const silent = each.map((one) => one.silent).filter((one) => one !== undefined);
  const creeping = each.map((one) => one.creeping).filter((one) => one !== undefined);
  return {
    silent: silent.length < each.length ? undefined : silent.toSorted((a, b) => b.seconds - a.seconds)[0],
    creeping: creeping.length < each.length ? undefined : creeping.toSorted((a, b) => leastRate(a) - leastRate(b))[0],
  };
}

/** Below so many bytes a second the limit ends the pull. */
export function leastRate({ limit, stepBytes }: Creeping): number {
  return stepBytes / limit.seconds;
}

const NONE: StallLimits = { silent: undefined, creeping: undefined };

function stallLimitOf(runtime: Runtime, declared: DeclaredStallLimits): StallLimits {
  const seconds = declared[runtime.family] ?? usualSeconds(runtime);
  if (seconds === 0) return NONE;
  switch (runtime.family) {
    case 'containerd': {
      const limit = { name: 'image_pull_progress_timeout', seconds } as const;
      return runtime.path === 'local'
        ? { silent: limit, creeping: undefined }
        : { silent: undefined, creeping: { limit, stepBytes: CONTAINERD_STEP, fromBytes: CONTAINERD_STEP } };
    }
    case 'docker': {
      const limit = { name: 'image-pull-progress-deadline', seconds } as const;
      return { silent: limit, creeping: { limit, stepBytes: DOCKER_STEP, fromBytes: 100 * DOCKER_STEP } };
    }
    case 'crio':
      return { silent: { name: 'pull_progress_timeout', seconds }, creeping: undefined };
    default:
      return runtime satisfies never;
  }
}

function usualSeconds(runtime: Runtime): number {
  if (runtime.family === 'crio') return 0;
  if (runtime.family === 'docker') return 60;
  return isAtLeast(runtime.version, [1, 7]) ? 300 : 60;
}
