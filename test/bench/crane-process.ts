import { readFileSync } from 'node:fs';
import { createLiveEngine, type LiveEngine } from '../../webhook/engine/live-engine.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { ask } from './ask.ts';
import { policyFor } from './policy.ts';
import { median } from './table.ts';

/** What an image takes without the start of Node, in milliseconds. */
export type InProcess = {
  /** With an engine of its own: its settings are read, its certificates parsed, and its connections opened anew. */
  readonly alone: number;
  /** With an engine that runs, as a webhook's does, and saw other images of that registry a moment ago. */
  readonly running: number;
};

/** Arguments: the registry's host, the file of its authority, the images. Sends the middles. */
const [host = '', authority = '', ...images] = process.argv.slice(2);
const policy = policyFor(host, readFileSync(authority, 'utf8'));

function startEngine(): LiveEngine {
  return createLiveEngine(
    {
      secrets: manifestSecretSource({ secrets: [], serviceAccounts: [] }),
      resolve: createResolver(new Map()),
      clusterAddresses: undefined,
      nodes: undefined,
    },
    policy,
    {},
  );
}

/** One after the other, each from the moment at which it is asked for. */
async function timesOf(askFor: (image: string) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (const image of images) {
    const startedAt = performance.now();
    // oxlint-disable-next-line no-await-in-loop
    await askFor(image);
    times.push(performance.now() - startedAt);
  }
  return times;
}

const alone = await timesOf(async (image) => {
  const engine = startEngine();
  await ask(engine, image);
  await engine.close();
});
let running: number[] = [];
// the first of a registry opens connections, the others find them open
if (images.length > 1) {
  const engine = startEngine();
  running = (await timesOf((image) => ask(engine, image))).slice(1);
  await engine.close();
}
process.send?.({ alone: median(alone), running: median(running) } satisfies InProcess);
process.disconnect();
