import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi } from '../webhook/kube/api.ts';
import { describeFailure, readApiFailure } from '../webhook/kube/failure.ts';
import { createCaBundle } from './ca-bundle.ts';
import { generateRsaPair, type KeySource } from './key-pair.ts';
import { bundleOf, createMaterial, servingNames, type Material } from './material.ts';
import { lifeOf, nextStep, takeStep } from './rotation.ts';
import {
  createPairHolder,
  type CertificateEvent,
  type ServingCertificate,
  type ServingPair,
} from './serving-certificate.ts';
import { createCertificateStore, type CertificateStore } from './store.ts';

export type OwnedCertificateOptions = {
  readonly api: KubeApi;
  readonly namespace: string;
  /** The Service's name. */
  readonly service: string;
  /** The Secret's name. */
  readonly secret: string;
  /** The ValidatingWebhookConfiguration whose `caBundle` is kept; `undefined` where somebody else keeps it. */
  readonly webhookConfiguration: string | undefined;
  readonly onEvent: (event: CertificateEvent) => void;
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
  /** Of authorities and certificates. Default: new ones by OpenSSL. */
  readonly makeKeys?: KeySource;
  /** Between two looks at the Secret and the configuration. Default a minute. */
  readonly checkEveryMs?: number;
  /** After a failure. Default 5 s. */
  readonly retryMs?: number;
};

const CHECK_EVERY_MS = 60_000;
const RETRY_MS = 5_000;
/** Lost races in one check; each means that another replica has just written. */
const MAX_ATTEMPTS = 4;

/**
 * The webhook's own certificate: made at the first start, kept in a Secret that all replicas share, renewed in time,
 * and trusted by the webhook configuration before it is served.
 */
export function createServingCertificate(options: OwnedCertificateOptions): ServingCertificate {
  const {
    api,
    namespace,
    service,
    onEvent,
    now = Date.now,
    makeKeys = generateRsaPair,
    checkEveryMs = CHECK_EVERY_MS,
    retryMs = RETRY_MS,
  } = options;
  const names = servingNames(service, namespace);
  const store = createCertificateStore(api, namespace, options.secret);
  const configuration = options.webhookConfiguration;
  const trust = configuration === undefined ? undefined : createCaBundle(api, { configuration, service, namespace });
  const holder = createPairHolder();
  const closing = new AbortController();
  let held: Material | undefined;
  let running: Promise<void> | undefined;

  const fail = (what: string, error: unknown): void =>
    onEvent({ kind: 'failed', reason: `${what}: the API server ${describeFailure(readApiFailure(error))}` });

  /** True where the configuration is known to trust `material`. */
  const publish = async (material: Material): Promise<boolean> => {
    if (trust === undefined) return false;
    try {
      const state = await trust.ensure(bundleOf(material));
      if (state === 'absent') {
        onEvent({
          kind: 'failed',
          reason: `${configuration} has no webhook that calls the Service ${namespace}/${service}`,
        });
      }
      return state !== 'absent';
    } catch (error) {
      fail(`caBundle of ${configuration}`, error);
      return false;
    }
  };
  /** One look: true where nothing is left to do before the next one. */
  const check = async (): Promise<boolean> => {
    const found = await readOrCreate(
      store,
      () => (held === undefined ? createMaterial({ names, nowMs: now(), makeKeys }) : Promise.resolve(held)),
      onEvent,
    );
    const isBundleInPlace = await publish(found.material);
    held = found.material;
    holder.take(toPair(held));
    const nowMs = now();
    const step = nextStep(held, { names, nowMs, isBundleInPlace });
    if (step.step === 'keep') return isBundleInPlace || trust === undefined;
    const changed = await takeStep(held, step, { names, nowMs, makeKeys });
    if ((await store.replace(changed, found.stored)) === 'conflict') return false;
    onEvent({ kind: 'rotated', reason: `${step.step}: ${step.reason}` });
    const isTrusted = await publish(changed);
    held = changed;
    holder.take(toPair(held));
    return isTrusted || trust === undefined;
  };
  const run = async (onFirst: (pair: ServingPair) => void): Promise<void> => {
    while (!closing.signal.aborted) {
      let isSettled = false;
      try {
        isSettled = await check();
      } catch (error) {
        fail(`Secret ${namespace}/${options.secret}`, error);
      }
      const pair = holder.current();
      if (pair !== undefined) onFirst(pair);
      // each look compares with the wall clock: a timer set for months would sleep with the machine
      await sleep(isSettled ? checkEveryMs : retryMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  return {
    current: holder.current,
    onChange: holder.onChange,
    async start(signal) {
      signal.throwIfAborted();
      const first = Promise.withResolvers<ServingPair>();
      const onAbort = (): void => first.reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      running ??= run(first.resolve);
      try {
        return await first.promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

type Found = Extract<Awaited<ReturnType<CertificateStore['read']>>, { kind: 'found' }>;

/** Reads the Secret; makes it where it is missing, from what is served already where something is, and repairs it. */
async function readOrCreate(
  store: CertificateStore,
  make: () => Promise<Material>,
  onEvent: (event: CertificateEvent) => void,
): Promise<Found> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const read = await store.read();
    if (read.kind === 'found') return read;
    // whoever loses the race reads the winner's in the next round
    if (read.kind === 'missing') {
      if ((await store.create(await make())) === 'created')
        onEvent({ kind: 'rotated', reason: 'the Secret was missing' });
    } else if ((await store.replace(await make(), read.stored)) === 'replaced') {
      onEvent({ kind: 'rotated', reason: `the Secret was unusable: ${read.reason}` });
    }
  }
  throw new Error('the Secret did not come to rest');
}

const toPair = (material: Material): ServingPair => ({
  cert: material.leaf.certificate,
  key: material.leaf.key,
  ca: bundleOf(material),
  expiresAtMs: lifeOf(material.leaf.certificate).endMs,
});
