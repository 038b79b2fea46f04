import type { TlsOptions } from 'node:tls';
import type { ImageStore } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { startScriptedRegistry } from '../support/scripted-registry.ts';
import { openGate, type Gate } from './gate.ts';
import { createPace, type Pace } from './pace.ts';

/** A registry on loopback that counts what it is asked. */
export type CountingRegistry = Omit<Pace, 'bend'> & {
  /** As an image reference has it. */
  readonly host: string;
  readonly gate: Gate;
  readonly store: ImageStore;
  /** `HEAD /v2/app/manifests/1` for each request since the last `reset`. */
  readonly requests: () => readonly string[];
  readonly close: () => Promise<void>;
};

/** Over TLS, or without where `tls` is `undefined`. */
export async function startCountingRegistry(tls: TlsOptions | undefined, auth?: Bend): Promise<CountingRegistry> {
  const { bend, ...pace } = createPace();
  const registry = await startScriptedRegistry({
    ...(tls === undefined ? {} : { tls }),
    ...(auth === undefined ? {} : { auth }),
    bends: [bend],
  });
  const gate = await openGate(registry.port);
  return {
    ...pace,
    host: gate.host,
    gate,
    store: registry.store,
    requests: () => registry.log.lines(),
    reset: () => {
      registry.log.clear();
      gate.reset();
      pace.reset();
    },
    close: async () => {
      await Promise.all([gate.close(), registry.close()]);
    },
  };
}
