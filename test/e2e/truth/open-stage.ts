import { startScriptedRegistry } from '../../support/scripted-registry.ts';
import { addHandshakeConditions } from './handshake-conditions.ts';
import { addKeyringConditions } from './keyring-conditions.ts';
import { addHubConditions } from './hub-conditions.ts';
import { addServiceConditions } from './service-conditions.ts';
import { addForeignConditions } from './foreign-conditions.ts';
import { addSentConditions } from './sent-conditions.ts';
import { addViaConditions } from './via-conditions.ts';
import { addPodConditions } from './pod-conditions.ts';
import { addSpokenConditions } from './spoken-conditions.ts';
import { addBasicConditions } from './basic-conditions.ts';
import { addCertificateConditions } from './certificate-conditions.ts';
import { addFolderConditions } from './folder-conditions.ts';
import { addMirrorConditions } from './mirror-conditions.ts';
import { addNameConditions } from './name-conditions.ts';
import { addSettingsConditions } from './settings-conditions.ts';
import { addSharedConditions } from './shared-conditions.ts';
import { addRedirectConditions } from './redirect-conditions.ts';
import { addTlsConditions } from './tls-conditions.ts';
import { addTokenConditions } from './token-conditions.ts';
import { addWireConditions } from './wire-conditions.ts';
import type { Condition } from './condition.ts';
import type { Closable, Stage } from './stage.ts';

/** Starts every registry and returns the conditions that the node and the engine will meet. */
export async function openStage(
  nodeIp: string,
): Promise<{ readonly conditions: readonly Condition[]; readonly besideImage: string } & Closable> {
  const servers: Closable[] = [];
  const conditions: Condition[] = [];
  let deadPorts = 0;
  const stage: Stage = {
    nodeIp,
    registry: async (options = {}) => {
      const started = stage.keep(await startScriptedRegistry(options));
      const layers = [{ 'app/name': `of port ${started.port}\n` }];
      if (options.store === undefined) started.store.repository('app').addImage({ layers, tags: ['1'] });
      return started;
    },
    deadPort: () => (deadPorts += 1),
    keep: (server) => {
      servers.push(server);
      return server;
    },
    add: (condition) => void conditions.push(condition),
  };
  const beside = await stage.registry();
  await addSharedConditions(stage);
  await addTlsConditions(stage);
  await addSettingsConditions(stage);
  await addBasicConditions(stage);
  await addTokenConditions(stage);
  await addMirrorConditions(stage);
  await addRedirectConditions(stage);
  await addFolderConditions(stage);
  await addCertificateConditions(stage);
  await addWireConditions(stage);
  await addKeyringConditions(stage);
  await addHubConditions(stage);
  await addServiceConditions(stage);
  await addForeignConditions(stage);
  await addSentConditions(stage);
  await addViaConditions(stage);
  await addPodConditions(stage);
  await addSpokenConditions(stage);
  await addHandshakeConditions(stage);
  addNameConditions(stage);
  return {
    conditions,
    besideImage: `${beside.host}/app:1`,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
