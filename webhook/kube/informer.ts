import { ListWatch, type KubernetesListObject, type KubernetesObject } from '@kubernetes/client-node';
import type { KubeApi } from './api.ts';
import { backoffMs, DEFAULT_BACKOFF, type BackoffOptions } from './backoff.ts';
import { readApiFailure, type ApiFailure } from './failure.ts';

export type InformerOptions<T extends KubernetesObject, Raw> = {
  readonly api: KubeApi;
  readonly path: string;
  readonly fieldSelector: string | undefined;
  readonly list: () => Promise<KubernetesListObject<T>>;
  /** Cuts the object of an event, the API server's own JSON of the kind that was asked for, down to what is kept. */
  readonly decode: (object: Raw) => T;
  /** A whole list was read, at the start and whenever the watch fell too far behind. */
  readonly onList: (items: readonly T[]) => void;
  readonly onChange: (item: T) => void;
  readonly onDelete: (item: T) => void;
  /** A watch is open: what is known is up to date. */
  readonly onConnected: () => void;
  readonly onFailure: (failure: ApiFailure) => void;
  readonly backoff?: BackoffOptions;
  readonly random?: () => number;
};

/**
 * client-node's informer with an owner: it stops at its first error, a reset for instance, so it is started again,
 * each time later, until `close()`.
 */
export function runInformer<T extends KubernetesObject, Raw>(
  options: InformerOptions<T, Raw>,
): { close(): Promise<void> } {
  const { backoff = DEFAULT_BACKOFF, random = Math.random } = options;
  let failures = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const informer = new ListWatch<T>(
    options.path,
    guardWatch(options, () => {
      failures = 0;
      options.onConnected();
    }),
    async () => {
      const list = await options.list();
      if (!isClosed) options.onList(list.items);
      return list;
    },
    false,
    undefined,
    options.fieldSelector,
  );
  const restart = (error: unknown): void => {
    if (isClosed) return;
    failures += 1;
    options.onFailure(readApiFailure(error));
    clearTimeout(timer);
    timer = setTimeout(start, backoffMs(failures, backoff, random));
  };
  const start = (): void => {
    // a stop during the list is forgotten by the client, which would go on to watch
    informer.start().then(() => (isClosed ? informer.stop() : undefined), restart);
  };
  const whileOpen =
    (report: (item: T) => void) =>
    (item: T): void => {
      if (!isClosed) report(item);
    };
  informer.on('add', whileOpen(options.onChange));
  informer.on('update', whileOpen(options.onChange));
  informer.on('delete', whileOpen(options.onDelete));
  informer.on('error', restart);
  start();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      // a watch that nobody has answered yet ends with the connections, in KubeApi.close
      await informer.stop();
    },
  };
}

/** Reports an open watch, and turns what the client would leave as an unhandled rejection into an ended one. */
function guardWatch<T extends KubernetesObject, Raw>(
  options: InformerOptions<T, Raw>,
  onConnected: () => void,
): ReturnType<KubeApi['watch']> {
  const watch = options.api.watch();
  const plain = watch.watch.bind(watch);
  watch.watch = async (path, query, onEvent, done) => {
    let isOver = false;
    const finish = (error: unknown): void => {
      isOver = true;
      done(error);
    };
    try {
      const controller = await plain(
        path,
        query,
        (phase, object, raw) =>
          onEvent(phase, phase === 'ERROR' || phase === 'BOOKMARK' ? object : options.decode(object), raw),
        finish,
      );
      if (!isOver) onConnected();
      return controller;
    } catch (error) {
      finish(error);
      return new AbortController();
    }
  };
  return watch;
}
