import { startScriptedRegistry } from '../../support/scripted-registry.ts';
import { addBasicConditions } from './basic-conditions.ts';
import { addNameConditions } from './name-conditions.ts';
import { addSettingsConditions } from './settings-conditions.ts';
import { addSharedConditions } from './shared-conditions.ts';
import { addTlsConditions } from './tls-conditions.ts';
import { addTokenConditions } from './token-conditions.ts';
import type { Condition } from './condition.ts';
import type { Closable, Stage } from './stage.ts';

/** Starts every registry and returns the conditions that the node and the engine will meet. */
export async function openStage(): Promise<{ readonly conditions: readonly Condition[] } & Closable> {
  const servers: Closable[] = [];
  const conditions: Condition[] = [];
  const stage: Stage = {
    registry: async (options = {}) => {
      const started = stage.keep(await startScriptedRegistry(options));
      started.store.repository('app').addImage({ tags: ['1'] });
      return started;
    },
    keep: (server) => {
      servers.push(server);
      return server;
    },
    add: (condition) => void conditions.push(condition),
  };
  await addSharedConditions(stage);
  await addTlsConditions(stage);
  await addSettingsConditions(stage);
  await addBasicConditions(stage);
  await addTokenConditions(stage);
  addNameConditions(stage);
  return {
    conditions,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
