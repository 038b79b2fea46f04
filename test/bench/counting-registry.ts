import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import type { ImageStore } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { startScriptedRegistry } from '../support/scripted-registry.ts';
import { openGate, type Gate } from './gate.ts';

/** A registry on loopback, over TLS, that counts what it is asked. */
export type CountingRegistry = {
  /** As an image reference has it. */
  readonly host: string;
  readonly gate: Gate;
  readonly store: ImageStore;
  /** `HEAD /v2/app/manifests/1` for each request since the last `reset`. */
  readonly requests: () => readonly string[];
  /** The most requests that were being answered at one moment since the last `reset`. */
  readonly mostAtOnce: () => number;
  /** How long every answer takes from now on, as over a network. */
  readonly slowDown: (delayMs: number) => void;
  readonly reset: () => void;
  readonly close: () => Promise<void>;
};

export async function startCountingRegistry(tls: TlsOptions, auth?: Bend): Promise<CountingRegistry> {
  let delayMs = 0;
  let now = 0;
  let most = 0;
  const count: Bend = async (_question, answer) => {
    now += 1;
    most = Math.max(most, now);
    if (delayMs > 0) await sleep(delayMs);
    now -= 1;
    return answer;
  };
  const registry = await startScriptedRegistry({ tls, ...(auth === undefined ? {} : { auth }), bends: [count] });
  const gate = await openGate(registry.port);
  return {
    host: gate.host,
    gate,
    store: registry.store,
    requests: () => registry.log.lines(),
    mostAtOnce: () => most,
    slowDown: (milliseconds) => {
      delayMs = milliseconds;
    },
    reset: () => {
      registry.log.clear();
      gate.reset();
      most = 0;
    },
    close: async () => {
      await Promise.all([gate.close(), registry.close()]);
    },
  };
}
