import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issue } from '../../certs/authority.ts';
import { createKubeApi, type KubeApi } from '../../webhook/kube/api.ts';

/** An object of the API, as JSON. Written without types of ours, as another server would. */
export type ApiObject = {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
};
export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
};
/** What happens to a request instead of its answer; a number is a status. */
export type Fault = number | 'hang' | 'reset' | { readonly redirectTo: string };

/**
 * A small API server over TLS: objects by path, with resourceVersions, optimistic locking, field selectors on the
 * name, JSON patches and watches.
 */
export interface FakeApi {
  readonly requests: readonly ApiRequest[];
  /** TCP connections so far. */
  readonly connections: () => number;
  /** `collection` as in `/api/v1/namespaces/a/secrets`. Watchers hear of it. */
  put(collection: string, object: ApiObject): void;
  remove(collection: string, name: string): void;
  get(collection: string, name: string): ApiObject | undefined;
  /** Asked before every answer; `undefined` lets it pass. */
  failWith(fault: (request: ApiRequest) => Fault | undefined): void;
  /** Tears every open connection, watches too. */
  reset(): void;
  /** A kubeconfig that leads here. */
  readonly kubeconfig: string;
  connect(): KubeApi;
  close(): Promise<void>;
}

type Patch = { readonly op: string; readonly path: string; readonly value: unknown };
type Watcher = { readonly collection: string; readonly name: string | undefined; readonly response: ServerResponse };

export const TOKEN = 'taint-token-of-the-service-account';

export async function startFakeApi(): Promise<FakeApi> {
  const validity = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 3_600_000) };
  const authority = await createAuthority({ commonName: 'fake cluster', validity });
  const leaf = await issue(authority, { addresses: ['127.0.0.1'], validity });
  const objects = new Map<string, ApiObject>();
  const requests: ApiRequest[] = [];
  const watchers = new Set<Watcher>();
  const sockets = new Set<Socket>();
  const folder = await mkdtemp(join(tmpdir(), 'pullguard-kube-'));
  const apis: KubeApi[] = [];
  let faultOf: (request: ApiRequest) => Fault | undefined = noFault;
  let version = 100;
  let connections = 0;

  const announce = (type: 'ADDED' | 'MODIFIED' | 'DELETED', collection: string, object: ApiObject): void => {
    for (const watcher of watchers) {
      if (watcher.collection !== collection) continue;
      if (watcher.name !== undefined && watcher.name !== object.metadata.name) continue;
      watcher.response.write(`${JSON.stringify({ type, object })}\n`);
    }
  };
  const put = (collection: string, object: ApiObject): ApiObject => {
    version += 1;
    const key = `${collection}/${object.metadata.name}`;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    objects.set(key, stored);
    announce(type, collection, stored);
    return stored;
  };
  const remove = (collection: string, name: string): void => {
    const old = objects.get(`${collection}/${name}`);
    version += 1;
    objects.delete(`${collection}/${name}`);
    if (old === undefined) return;
    announce('DELETED', collection, { ...old, metadata: { ...old.metadata, resourceVersion: String(version) } });
  };
  const list = (collection: string, query: URLSearchParams): Reply => {
    const isSelected = selectorOf(query);
    const found = [...objects.entries()]
      .filter(([key]) => isWithin(collection, key.slice(0, key.lastIndexOf('/'))))
      .map(([, object]) => object)
      .filter(isSelected);
    const from = Number(query.get('continue') ?? '0');
    const to = from + Number(query.get('limit') ?? '1000');
    const more = to < found.length ? { continue: String(to) } : {};
    return {
      status: 200,
      body: { metadata: { resourceVersion: String(version), ...more }, items: found.slice(from, to) },
    };
  };
  const answer = ({ method, path, query, body }: ApiRequest): Reply => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const collection = path.slice(0, path.lastIndexOf('/'));
    if (method === 'POST') {
      const object = JSON.parse(body) as ApiObject;
      if (objects.has(`${path}/${object.metadata.name}`)) return { status: 409, body: { reason: 'AlreadyExists' } };
      return { status: 201, body: put(path, withData(object)) };
    }
    const current = objects.get(path);
    if (current === undefined) {
      return method === 'GET' && isCollection(path) ? list(path, query) : { status: 404, body: { reason: 'NotFound' } };
    }
    if (method === 'GET') return { status: 200, body: current };
    if (method === 'PUT') {
      const object = JSON.parse(body) as ApiObject;
      const isStale = object.metadata.resourceVersion !== current.metadata.resourceVersion;
      return isStale
        ? { status: 409, body: { reason: 'Conflict' } }
        : { status: 200, body: put(collection, withData(object)) };
    }
    if (method === 'PATCH') {
      const patched = applyPatch(current, JSON.parse(body) as readonly Patch[]);
      return patched === undefined ? { status: 422, body: {} } : { status: 200, body: put(collection, patched) };
    }
    remove(collection, name);
    return { status: 200, body: {} };
  };
  const watch = ({ path, query }: ApiRequest, response: ServerResponse): void => {
    const watcher = { collection: path, name: selectedName(query), response };
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    // what happened between the list and the watch
    for (const [key, object] of objects) {
      const isNewer = Number(object.metadata.resourceVersion) > Number(query.get('resourceVersion'));
      const isMeant = watcher.name === undefined || watcher.name === object.metadata.name;
      if (!isNewer || !isMeant || key.slice(0, key.lastIndexOf('/')) !== path) continue;
      response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    }
    watchers.add(watcher);
    response.on('close', () => watchers.delete(watcher));
  };
  const serve = (request: ApiRequest, response: ServerResponse): void => {
    requests.push(request);
    const fault = faultOf(request);
    if (fault === 'hang') return;
    if (fault === 'reset') response.socket?.destroy();
    else if (typeof fault === 'object') response.writeHead(307, { location: fault.redirectTo }).end();
    else if (fault !== undefined) reply(response, { status: fault, body: { message: `taint-body ${fault}` } });
    else if (request.query.get('watch') === 'true') watch(request, response);
    else reply(response, answer(request));
  };
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, async (incoming, response) => {
    const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'https://fake');
    const { authorization } = incoming.headers;
    serve({ method: incoming.method ?? '', path, query, authorization, body: await readBody(incoming) }, response);
  });
  server.on('secureConnection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, 'config');
  await writeFile(kubeconfig, kubeconfigOf(`https://127.0.0.1:${port}`, authority.certificate));
  return {
    requests,
    connections: () => connections,
    put: (collection, object) => void put(collection, object),
    remove,
    get: (collection, name) => objects.get(`${collection}/${name}`),
    failWith: (fault) => {
      faultOf = fault;
    },
    reset: () => {
      for (const socket of sockets) socket.destroy();
    },
    kubeconfig,
    connect: () => {
      const api = createKubeApi({ from: 'file', file: kubeconfig });
      apis.push(api);
      return api;
    },
    async close() {
      await Promise.all(apis.map((api) => api.close()));
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await rm(folder, { recursive: true });
    },
  };
}

const noFault = (): undefined => undefined;

type Reply = { readonly status: number; readonly body: unknown };

const reply = (response: ServerResponse, { status, body }: Reply): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

async function readBody(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  return body;
}

const selectedName = (query: URLSearchParams): string | undefined =>
  /^metadata\.name=(?<name>.+)$/u.exec(query.get('fieldSelector') ?? '')?.groups?.['name'];

/** By the name of the last part alone: no object of a test is called like a kind. */
const isCollection = (path: string): boolean =>
  /\/(?:nodes|secrets|configmaps|serviceaccounts|pods|replicationcontrollers|(?:deployment|replicaset|statefulset|daemonset|(?:cron)?job)s)$/u.test(
    path,
  );

/** A list for all namespaces holds those of each. */
const isWithin = (collection: string, own: string): boolean =>
  own === collection || own.replace(/\/namespaces\/[^/]+(?=\/)/u, '') === collection;

/** `metadata.name=a`, or `status.phase!=Failed,status.phase!=Succeeded`. */
function selectorOf(query: URLSearchParams): (object: ApiObject) => boolean {
  const name = selectedName(query);
  if (name !== undefined) return (object) => object.metadata.name === name;
  const phases = [...(query.get('fieldSelector') ?? '').matchAll(/status\.phase!=(?<phase>\w+)/gu)].map(
    ({ groups }) => groups?.['phase'],
  );
  return ({ status }) => !phases.includes((status as { readonly phase?: string } | undefined)?.phase);
}

/** A Secret's `stringData` becomes `data`, as the API server does it. */
function withData(object: ApiObject): ApiObject {
  const { stringData, ...rest } = object;
  if (stringData === undefined) return object;
  const texts = Object.entries(stringData as Record<string, string>);
  return { ...rest, data: Object.fromEntries(texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')])) };
}

/** RFC 6902 as far as `test`, `add` and `replace` of an object's member go; `undefined` where a test fails. */
function applyPatch(object: ApiObject, patch: readonly Patch[]): ApiObject | undefined {
  const copy = structuredClone(object);
  for (const { op, path, value } of patch) {
    const keys = path.split('/').slice(1);
    const last = keys.pop() ?? '';
    let at = copy as unknown as Record<string, unknown>;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    if (op !== 'test') at[last] = value;
    else if (at[last] !== value) return undefined;
  }
  return copy;
}

const kubeconfigOf = (server: string, ca: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'fake',
    clusters: [{ name: 'fake', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'fake', user: { token: TOKEN } }],
    contexts: [
      { name: 'fake', context: { cluster: 'fake', user: 'fake', namespace: 'team-a' } },
      { name: 'other', context: { cluster: 'fake', user: 'fake', namespace: 'team-b' } },
    ],
  });
