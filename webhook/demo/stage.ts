import type { KeySource } from '../../certs/key-pair.ts';
import type { ImageFacts } from '../admission/facts.ts';
import type { PredictImage } from '../admission/ports.ts';
import { createLiveEngine, type LiveEngine } from '../engine/live-engine.ts';
import { REFUSAL_STATUSES } from '../http/app.ts';
import { readManifests, settleManifests } from '../manifests/manifests.ts';
import { manifestSecretSource } from '../manifests/secret-source.ts';
import { formatMistakes, readPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { createResolver } from '../registry/resolve.ts';
import type { Log } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { startWebhook } from '../webhook.ts';
import { createApiServer, NAMESPACE } from './api-server.ts';
import { createCertificates } from './certificates.ts';
import { MANIFEST_TEXT } from './manifest.ts';
import { fillIn } from './placeholders.ts';
import { POLICY_TEXT } from './policy.ts';
import { startRegistries } from './registries.ts';
import type { Admission, Written } from './review.ts';

/** One image of a review: how it was judged, and what that took. */
export type Judged = ImageFacts & { readonly requests: number; readonly millis: number };
export type Applied = {
  readonly admission: Admission;
  readonly images: readonly Judged[];
  /** What the webhook threw and caught, which must be nothing. */
  readonly errors: readonly unknown[];
};

/** Everything that the demo needs, running on this machine's loopback. */
export type Stage = {
  readonly manifestText: string;
  readonly policyText: string;
  readonly policy: Policy;
  /** The objects of the manifest that make Pods, in its order. */
  readonly objects: readonly Written[];
  readonly registryNames: readonly string[];
  readonly webhookPort: number;
  /** PEM. */
  readonly webhookAuthority: string;
  /** Creates an object, as far as the webhook has a say in it. One at a time. */
  readonly apply: (object: Written, signal: AbortSignal) => Promise<Applied>;
  readonly close: () => Promise<void>;
};

/** Starts registries, webhook and client. Throws where a port cannot be had, or for a bug in the demo's own texts. */
export async function startStage(makeKeys?: KeySource): Promise<Stage> {
  const certificates = await createCertificates(new Date(), makeKeys);
  const registries = await startRegistries(certificates);
  const closers: (() => Promise<void>)[] = [registries.close];
  const close = async (): Promise<void> => {
    // the last that was started ends first
    // oxlint-disable-next-line no-await-in-loop
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    const known = { ports: registries.ports, authority: certificates.registryAuthority };
    const texts = { manifestText: fillIn(MANIFEST_TEXT, known), policyText: fillIn(POLICY_TEXT, known) };
    const { policy, manifests } = readTexts(texts);
    const engine = createLiveEngine(
      {
        secrets: manifestSecretSource(manifests),
        resolve: createResolver(new Map([...registries.ports.keys()].map((name) => [name, ['127.0.0.1']]))),
        clusterAddresses: undefined,
        nodes: undefined,
      },
      policy,
      {},
    );
    closers.push(engine.close);
    const watch = watchReviews(engine);
    const webhook = await startWebhook({
      ...watch.options,
      // the nodes of the demo are new and hold no images
      presence: () => 'absent',
      ownNamespace: '',
      certificate: certificates.webhook,
      listen: { host: '127.0.0.1', port: 0 },
      adminListen: undefined,
      readiness: () => ({ isReady: true }),
    });
    closers.push(() => webhook.drain(0));
    const apiServer = createApiServer(webhook.address.port, certificates.webhookAuthority);
    closers.push(async () => apiServer.close());
    return {
      ...texts,
      policy,
      objects: manifests.workloads.map(({ source }) => source.object),
      registryNames: [...registries.ports.keys()],
      webhookPort: webhook.address.port,
      webhookAuthority: certificates.webhookAuthority,
      apply: async (object, signal) => {
        const admission = await apiServer.admit(object, signal);
        return { admission, ...watch.takeLast() };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function readTexts(texts: { readonly manifestText: string; readonly policyText: string }) {
  const policy = readPolicy(texts.policyText, 'policy.yaml');
  if (!policy.ok) throw new Error(formatMistakes('policy.yaml', policy.error));
  const manifests = readManifests([{ name: 'manifest.yaml', text: texts.manifestText, isNamed: true }]);
  if (!manifests.ok) throw new Error(manifests.error.join('; '));
  return { policy: policy.value, manifests: settleManifests(manifests.value, NAMESPACE) };
}

/** Listens where a review's facts go anyway, to the metrics, and to what each prediction took. */
function watchReviews(engine: LiveEngine) {
  const costs = new Map<string, { readonly requests: number; readonly millis: number }>();
  let last: Omit<Applied, 'admission'> = { images: [], errors: [] };
  const predict: PredictImage = async (question, signal) => {
    const prediction = await engine.predict(question, signal);
    costs.set(question.image, prediction);
    return prediction;
  };
  const metrics = createMetrics({ now: Date.now, refusalStatuses: REFUSAL_STATUSES });
  return {
    options: {
      engine: { ...engine, predict },
      metrics: {
        ...metrics,
        reviewed: (facts: Parameters<typeof metrics.reviewed>[0]): void => {
          const images = facts.images.map((image) => {
            const { requests, millis } = costs.get(image.image) ?? { requests: 0, millis: 0 };
            return { ...image, requests, millis };
          });
          last = { images, errors: facts.errors };
          metrics.reviewed(facts);
        },
      },
      log: SILENT,
    },
    takeLast: () => {
      costs.clear();
      return last;
    },
  };
}

const nothing = (): void => undefined;
/** What is worth saying of a review, the demo says itself. */
const SILENT: Log = Object.freeze({ debug: nothing, info: nothing, warn: nothing, error: nothing });
