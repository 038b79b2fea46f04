import type { V1ConfigMap } from '@kubernetes/client-node';
import type { KubeApi } from './api.ts';
import type { BackoffOptions } from './backoff.ts';
import { describeFailure, readApiFailure, type ApiFailure } from './failure.ts';
import { runInformer } from './informer.ts';

export type ConfigMapData = Readonly<Record<string, string>>;

export type ConfigMapWatchOptions = {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** Called once it is known, then whenever it changes; `undefined` while there is no such ConfigMap. */
  readonly onChange: (data: ConfigMapData | undefined) => void;
  /** One line: `ConfigMap pullguard/pullguard-policy: the API server answered 500`. The last data stay in force. */
  readonly onFailure: (reason: string) => void;
  /** It is read again after this time, watch or no watch: a proxy may swallow events. */
  readonly refreshMs?: number;
  readonly backoff?: BackoffOptions;
};

const REFRESH_MS = 60_000;
const TIMEOUT_MS = 5_000;

/** Follows one ConfigMap by name, with the rights to get, list and watch this one alone. */
export function watchConfigMap(options: ConfigMapWatchOptions): { close(): Promise<void> } {
  const { api, namespace, name, refreshMs = REFRESH_MS } = options;
  const core = api.core(TIMEOUT_MS);
  const fieldSelector = `metadata.name=${name}`;
  let delivered: string | undefined;
  /** Counts what the watch said, so that a slower read cannot bring back the past. */
  let heard = 0;

  const fail = (failure: ApiFailure): void =>
    options.onFailure(`ConfigMap ${namespace}/${name}: the API server ${describeFailure(failure)}`);
  const deliver = (data: ConfigMapData | undefined): void => {
    const text = JSON.stringify(data === undefined ? null : Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (text === delivered) return;
    delivered = text;
    try {
      options.onChange(data);
    } catch {
      // inside the client's callbacks a throw would end the process
      options.onFailure(`ConfigMap ${namespace}/${name}: its new content could not be taken over`);
    }
  };
  const hear = (data: ConfigMapData | undefined): void => {
    heard += 1;
    deliver(data);
  };
  const refresh = async (): Promise<void> => {
    const before = heard;
    try {
      const map = await core.readNamespacedConfigMap({ namespace, name });
      if (heard === before) deliver(map.data ?? {});
    } catch (error) {
      const failure = readApiFailure(error);
      if (failure.kind !== 'missing') fail(failure);
      else if (heard === before) deliver(undefined);
    }
  };
  const informer = runInformer<V1ConfigMap, V1ConfigMap>({
    api,
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`,
    fieldSelector,
    list: () => core.listNamespacedConfigMap({ namespace, fieldSelector }),
    decode: (map) => map,
    onList: ([map]) => hear(map === undefined ? undefined : (map.data ?? {})),
    onChange: (map) => hear(map.data ?? {}),
    onDelete: () => hear(undefined),
    onConnected: () => undefined,
    onFailure: fail,
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
  });
  let refreshing = Promise.resolve();
  const timer = setInterval(() => {
    refreshing = refresh();
  }, refreshMs);
  return {
    async close() {
      clearInterval(timer);
      await informer.close();
      await refreshing;
    },
  };
}

export type ConfigMapRead = { readonly kind: 'found'; readonly data: ConfigMapData } | ApiFailure;

/** Reads one ConfigMap once: the live policy, for `pullguard check`. */
export async function readConfigMap(api: KubeApi, namespace: string, name: string): Promise<ConfigMapRead> {
  try {
    const map = await api.core(TIMEOUT_MS).readNamespacedConfigMap({ namespace, name });
    return { kind: 'found', data: map.data ?? {} };
  } catch (error) {
    return readApiFailure(error);
  }
}
