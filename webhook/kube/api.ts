import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import {
  AdmissionregistrationV1Api,
  ApiException,
  CoreV1Api,
  createConfiguration,
  HttpMethod,
  ServerConfiguration,
  Watch,
  type Configuration,
  type KubeConfig,
  type RequestContext,
} from '@kubernetes/client-node';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { loadKubeConfig, type KubeSource } from './kube-config.ts';

/** The one way to the API server: a pool of connections, a deadline for each call, and nobody else gets the token. */
export interface KubeApi {
  /** `https://10.96.0.1:443`, for messages and for the guard of outgoing addresses. */
  readonly server: string;
  /** The namespace of the context, or the Pod's own. */
  readonly namespace: string | undefined;
  /** A function is asked at each call. */
  core(timeoutMs: number | (() => number)): CoreV1Api;
  admission(timeoutMs: number): AdmissionregistrationV1Api;
  /** A watch has no deadline; it ends after 30 s without a byte. */
  watch(): Watch;
  /** A GET of a list, `/apis/apps/v1/deployments`, as the JSON that the server sends. Rejects as the client's own calls do. */
  list(path: string, query: Readonly<Record<string, string>>, timeoutMs: number): Promise<unknown>;
  close(): Promise<void>;
}

/** The API server answers one object of at most 3 MiB, or a page of 500 Nodes with about 30 KiB each. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;
/** Secrets and ServiceAccounts of concurrent reviews; more would only queue in the API server. */
const MAX_CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5_000;

/** Connects to nothing yet. Throws one line for the user where `source` is unusable. */
export function createKubeApi(source: KubeSource): KubeApi {
  const { config, server } = loadKubeConfig(source);
  const calls = createPool(config, server.origin, {
    connections: MAX_CONNECTIONS,
    maxResponseSize: MAX_RESPONSE_BYTES,
  });
  const watches = createPool(config, server.origin, {});
  const authenticate = async (context: RequestContext, pool: Pool): Promise<void> => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    for (const [name, value] of Object.entries(options.headers ?? {})) context.setHeaderParam(name, String(value));
    if (typeof options.auth === 'string') {
      context.setHeaderParam('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
    }
    context.setHeaderParam('User-Agent', 'pullguard');
    context.setDispatcher(pool.dispatcher(options));
  };
  // what Watch calls; the client's own version would open a connection for every watch
  config.applySecurityAuthentication = (context) => authenticate(context, watches);

  const configuration = (timeoutMs: number | (() => number)): Configuration =>
    createConfiguration({
      baseServer: new ServerConfiguration(server.href.replace(/\/$/u, ''), {}),
      authMethods: {
        default: {
          getName: () => 'kubeconfig',
          applySecurityAuthentication: async (context) => {
            await authenticate(context, calls);
            context.setSignal(AbortSignal.timeout(typeof timeoutMs === 'number' ? timeoutMs : timeoutMs()));
          },
        },
      },
    });
  return {
    server: server.origin,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    core: (timeoutMs) => new CoreV1Api(configuration(timeoutMs)),
    admission: (timeoutMs) => new AdmissionregistrationV1Api(configuration(timeoutMs)),
    watch: () => new Watch(config),
    list: async (path, query, timeoutMs) => {
      const { baseServer, authMethods, httpApi } = configuration(timeoutMs);
      const context = baseServer.makeRequestContext(path, HttpMethod.GET);
      for (const [name, value] of Object.entries(query)) context.setQueryParam(name, value);
      context.setHeaderParam('Accept', 'application/json');
      // what is compressed would count by its compressed bytes
      context.setHeaderParam('Accept-Encoding', 'identity');
      await authMethods.default?.applySecurityAuthentication(context);
      const { httpStatusCode, body } = await httpApi.send(context).toPromise();
      // read whatever it is: the connection serves the next call
      const text = await body.text();
      if (httpStatusCode !== 200) throw new ApiException(httpStatusCode, 'no list', undefined, {});
      return JSON.parse(text);
    },
    close: async () => {
      await Promise.all([calls.close(), watches.close()]);
    },
  };
}

interface Pool {
  /** The shared dispatcher for these TLS options; replaced when a rotated CA or client certificate changes them. */
  dispatcher(options: RequestOptions): Dispatcher;
  close(): Promise<void>;
}

function createPool(config: KubeConfig, origin: string, limits: Agent.Options): Pool {
  let current:
    { readonly fingerprint: string; readonly agent: Dispatcher; readonly dispatcher: Dispatcher } | undefined;
  const retired = new Set<Promise<void>>();

  const retire = (agent: Dispatcher): void => {
    // lets what runs end; a failure to close costs nothing but the sockets, which time out
    const closing: Promise<void> = agent.close().then(
      () => void retired.delete(closing),
      () => void retired.delete(closing),
    );
    retired.add(closing);
  };
  return {
    dispatcher(options) {
      const fingerprint = createHash('sha256')
        .update([options.ca, options.cert, options.key, options.servername].map(String).join('\0'))
        .digest('hex');
      if (current?.fingerprint === fingerprint) return current.dispatcher;
      if (current !== undefined) retire(current.agent);
      const agent = createAgent(config, options, limits);
      current = { fingerprint, agent, dispatcher: agent.compose(onlyTo(origin)) };
      return current.dispatcher;
    },
    async close() {
      await current?.agent.destroy();
      current = undefined;
      await Promise.all(retired);
    },
  };
}

function createAgent(config: KubeConfig, options: RequestOptions, limits: Agent.Options): Dispatcher {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
  // HTTP/1.1 alone: a watch and a read do not share a connection's fate
  const common: Agent.Options = { ...limits, allowH2: false };
  const proxy = config.getCurrentCluster()?.proxyUrl;
  if (proxy === undefined) return new Agent({ ...common, connect: { ...tls, timeout: CONNECT_TIMEOUT_MS } });
  if (!/^https?:/u.test(proxy)) {
    throw new Error('the kubeconfig asks for a proxy that is no HTTP proxy, which Pullguard does not speak');
  }
  return new ProxyAgent({ ...common, uri: proxy, requestTls: tls });
}

/** Keeps the token and the client certificate at home where the server answers with a redirect. */
function onlyTo(origin: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    if (String(options.origin) !== origin) throw new Error('the API server redirected to another host');
    return dispatch(options, handler);
  };
}
