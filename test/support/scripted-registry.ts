import { createImageStore, type ImageStore } from '../../webhook/demo/image-store.ts';
import type { LoopbackServer, ServerOptions } from '../../webhook/demo/loopback-server.ts';
import { startRegistry, type Bend } from '../../webhook/demo/registry.ts';
import { only, type Match, type When } from './bend.ts';
import { createRequestLog, type RequestLog } from './request-log.ts';

export type ScriptedRegistryOptions = ServerOptions & {
  /** Default: an empty store, to be filled through `store`. */
  readonly store?: ImageStore;
  /** `basicAuth({...})` or a token service's `bearerAuth`. */
  readonly auth?: Bend;
  /** Applied after `auth`, in order. */
  readonly bends?: readonly Bend[];
};

/** A registry on loopback whose content and manners are data. */
export interface ScriptedRegistry extends LoopbackServer {
  readonly store: ImageStore;
  readonly log: RequestLog;
  /** From now on, requests that match are bent; later bends are applied to what earlier ones made. */
  bend(match: Match, bend: Bend, when?: When): void;
  /** Takes back every bend that `bend` added. */
  straighten(): void;
  /** The same registry on one more port, for instance with TLS. Closed with it. */
  listenToo(options: ServerOptions): Promise<LoopbackServer>;
}

export async function startScriptedRegistry(options: ScriptedRegistryOptions = {}): Promise<ScriptedRegistry> {
  const { store = createImageStore(), auth, bends = [] } = options;
  const log = createRequestLog();
  const added: Bend[] = [];
  const record: Bend = (question, answer) => {
    log.record(question);
    return answer;
  };
  const bendAsAdded: Bend = async (question, answer) => {
    let bent = answer;
    for (const bend of added) {
      const next = bend(question, bent);
      // oxlint-disable-next-line no-await-in-loop -- each bend builds on the one before it
      bent = next instanceof Promise ? await next : next;
    }
    return bent;
  };
  const all = [record, ...(auth === undefined ? [] : [auth]), ...bends, bendAsAdded];
  const start = async (server: ServerOptions): Promise<LoopbackServer> =>
    await startRegistry({ ...server, store, bends: all });

  const first = await start(options);
  const more: LoopbackServer[] = [];
  return {
    ...first,
    store,
    log,
    bend: (match, bend, when) => {
      added.push(only(match, bend, when));
    },
    straighten: () => {
      added.length = 0;
    },
    listenToo: async (server) => {
      const started = await start(server);
      more.push(started);
      return started;
    },
    close: async () => {
      await Promise.all([first, ...more].map(async (server) => await server.close()));
    },
  };
}
