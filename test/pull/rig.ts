import assert from 'node:assert/strict';
import type { Credential } from '../../webhook/credentials/credential.ts';
import { parsePlatform } from '../../webhook/image/platform.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { parseRuntime } from '../../webhook/outcome/runtime.ts';
import { createCourse, silentCourse } from '../../webhook/pull/course.ts';
import { noMemory } from '../../webhook/pull/graph-memory.ts';
import { createMeter } from '../../webhook/pull/measure.ts';
import { createPredictor, type PredictorOptions } from '../../webhook/pull/predict.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { referenceTo } from '../node/ask.ts';

/** Longer than any answer on loopback takes. */
const DEADLINE_MS = 20_000;

export type PullOptions = Partial<Omit<PredictorOptions, 'transport' | 'node'>> & {
  readonly transport: Transport;
  /** Default `containerd@2.1/transfer`; `+` between several. */
  readonly runtime?: string;
  readonly setup?: Partial<NodeSetup>;
  /** Plain HTTP is allowed there. */
  readonly insecure?: readonly string[];
  /** Default `complete`, as in CI. */
  readonly settings?: 'partial' | 'complete';
  /** Default false. */
  readonly mayHaveCredentials?: boolean;
  readonly credentials?: readonly Credential[];
  /** Default `linux/amd64`, fixed. */
  readonly platforms?: readonly string[];
  readonly isFixed?: boolean;
  readonly wantsThroughput?: boolean;
  readonly explains?: boolean;
  readonly signal?: AbortSignal;
};

/** One prediction by the real parts: planner, transport, client. Only the registry is scripted. */
export async function predict(image: string, options: PullOptions): Promise<Prediction> {
  const { transport, runtime = 'containerd@2.1/transfer', settings = 'complete', insecure = [] } = options;
  const now = (): number => performance.now();
  const runtimes = runtime.split('+').flatMap((text) => {
    const parsed = parseRuntime(text);
    assert.ok(parsed.ok, text);
    return parsed.value;
  });
  const ask = createPredictor({
    budget: unlimited,
    realms: { isStrict: false, pairs: [] },
    memoryFor: () => noMemory,
    contentCheck: undefined,
    asksForeignUrls: true,
    meter: createMeter({ now }),
    tagHint: undefined,
    addressesOf: () => [],
    now,
    ...options,
    transport,
    node: {
      runtimes,
      plan: createPlanner({ ...EMPTY_SETUP, insecureRegistries: insecure, ...options.setup }).plan,
      isComplete: settings === 'complete',
      mayHaveCredentials: () => options.mayHaveCredentials ?? false,
    },
  });
  const platforms = (options.platforms ?? ['linux/amd64']).map((text) => {
    const platform = parsePlatform(text);
    assert.ok(platform.ok, text);
    return platform.value;
  });
  return ask(
    {
      reference: referenceTo(image),
      credentials: options.credentials ?? [],
      platforms: { platforms, isFixed: options.isFixed ?? true },
      wantsThroughput: options.wantsThroughput ?? false,
    },
    options.explains === true ? createCourse() : silentCourse,
    options.signal ?? AbortSignal.timeout(DEADLINE_MS),
  );
}

export const login = (username: string, password: string, secret = 'ci'): Credential => ({
  username,
  password,
  secret,
  key: 'reg.test',
});

/** A containerd hosts.toml for a host: mirrors in order, then the upstream, all in plain HTTP. */
export function hostsFile(host: string, mirrors: readonly string[], upstream = `http://${host}`): Partial<NodeSetup> {
  const tables = mirrors.map((url) => `[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`);
  const text = `server = "${upstream}"\n${tables.join('') || '[host]\n'}`;
  return { certsD: memoryTree('/etc/containerd/certs.d', { [`${host}/hosts.toml`]: text }) };
}
