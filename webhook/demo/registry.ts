import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createListener, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { parseDigest } from '../image/digest.ts';
import type { ImageStore } from './image-store.ts';

/** What a request is about, by the endpoints of the OCI distribution specification. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'other' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly reference: string };

export type Question = {
  readonly method: string;
  /** As the client wrote it, with the host it asked for. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** At most 1 MiB; empty for GET and HEAD. */
  readonly body: string;
  readonly route: Route;
};

/** An answer as a value: what is sent, and how it travels. A HEAD gets the same without the body. */
export type Answer = {
  readonly status: number;
  /** Names in lower case. `content-length` is the body's unless it is given here, true or not. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  /** Before the first byte; `Infinity` never answers and leaves the connection open. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
  /** Where the connection is cut: before the status line, or after so many bytes of the body. */
  readonly cutAt?: 'start' | number;
  /** Written as they stand instead of all the above, then the connection ends: for what is no HTTP. */
  readonly raw?: Uint8Array;
};

/** Turns the answer of a well-behaved registry into what this one says. */
export type Bend = (question: Question, answer: Answer) => Answer | Promise<Answer>;

export type ServerOptions = {
  /** Certificate and key, and what else node:tls takes; plain HTTP where absent. */
  readonly tls?: TlsOptions;
  /** What stands before `/<repository>/manifests/...`. Default `/v2`. */
  readonly pathPrefix?: string;
};
export type RegistryOptions = ServerOptions & {
  readonly store: ImageStore;
  /** Applied in order, each to the answer of the one before. */
  readonly bends?: readonly Bend[];
};

export interface LoopbackServer {
  /** As an image reference has it: `127.0.0.1:40123`. */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:40123`, or with `https`. */
  readonly origin: string;
  /** Stops listening and ends every connection, also those in the middle of an answer. */
  readonly close: () => Promise<void>;
}

/** Serves the content of a store as a registry does, on 127.0.0.1 and a port that is free. */
export async function startRegistry(options: RegistryOptions): Promise<LoopbackServer> {
  const { store, bends = [] } = options;
  return await serveAnswers(options, async (question) => {
    let answer = answerFrom(store, question);
    // each bend builds on the one before it
    // oxlint-disable-next-line no-await-in-loop
    for (const bend of bends) {
      const bent = bend(question, answer);
      answer = bent instanceof Promise ? await bent : bent;
    }
    return answer;
  });
}

/** Lets only these users in, by Basic authentication (RFC 7617). */
export function basicAuth(passwords: Readonly<Record<string, string>>): Bend {
  const accepted = new Set(
    Object.entries(passwords).map(([user, password]) => Buffer.from(`${user}:${password}`).toString('base64')),
  );
  return ({ headers }, answer) => {
    const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() === 'basic' && accepted.has(credentials)) return answer;
    return errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="registry"' });
  };
}

/** The error body of the OCI distribution specification, "Error Codes". */
export function errorAnswer(status: number, code: string, headers: Answer['headers'] = {}): Answer {
  const message = code.toLowerCase().replaceAll('_', ' ');
  return jsonAnswer(status, { errors: [{ code, message }] }, headers);
}

export function jsonAnswer(status: number, document: unknown, headers: Answer['headers'] = {}): Answer {
  const body = Buffer.from(JSON.stringify(document));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** What a well-behaved registry with this content says. */
function answerFrom(store: ImageStore, { method, url, headers, route }: Question): Answer {
  if (method !== 'GET' && method !== 'HEAD') return errorAnswer(405, 'UNSUPPORTED', { allow: 'GET, HEAD' });
  if (route.kind === 'base') return jsonAnswer(200, {}, { 'docker-distribution-api-version': 'registry/2.0' });
  if (route.kind === 'other')
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('404') };
  const { repository } = route;
  const tags = store.listTags(repository);
  if (tags === undefined) return errorAnswer(404, 'NAME_UNKNOWN');
  if (route.kind === 'tags') return tagsAnswer(repository, tags, url);
  const { reference } = route;
  if (reference.includes(':') && !parseDigest(reference).ok) return errorAnswer(400, 'DIGEST_INVALID');
  if (route.kind === 'blob') {
    const blob = store.findBlob(repository, reference);
    return blob === undefined ? errorAnswer(404, 'BLOB_UNKNOWN') : blobAnswer(blob, reference, headers.range);
  }
  const manifest = store.findManifest(repository, reference);
  if (manifest === undefined) return errorAnswer(404, 'MANIFEST_UNKNOWN');
  const { digest, mediaType, body } = manifest;
  return { status: 200, headers: { 'content-type': mediaType, 'docker-content-digest': digest }, body };
}

function tagsAnswer(name: string, all: readonly string[], url: URL): Answer {
  const last = url.searchParams.get('last') ?? '';
  const limit = Number(url.searchParams.get('n') ?? all.length);
  if (!Number.isSafeInteger(limit) || limit < 0) return errorAnswer(400, 'PAGINATION_NUMBER_INVALID');
  const rest = all.filter((tag) => tag > last);
  const tags = rest.slice(0, limit);
  const next = new URLSearchParams({ n: String(limit), last: tags.at(-1) ?? last });
  const link = rest.length > limit && limit > 0 ? { link: `<${url.pathname}?${next.toString()}>; rel="next"` } : {};
  return jsonAnswer(200, { name, tags }, link);
}

function blobAnswer(blob: Uint8Array, digest: string, range: string | undefined): Answer {
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
  };
  const groups = /^bytes=(?<from>\d*)-(?<to>\d*)$/u.exec(range ?? '')?.groups;
  const [fromText = '', toText = ''] = [groups?.['from'], groups?.['to']];
  // a range that is not understood is left out of account (RFC 9110, 14.2)
  if (fromText === '' && toText === '') return { status: 200, headers, body: blob };
  const from = fromText === '' ? Math.max(0, blob.length - Number(toText)) : Number(fromText);
  const to = fromText === '' || toText === '' ? blob.length - 1 : Math.min(Number(toText), blob.length - 1);
  if (from > to) return errorAnswer(416, 'RANGE_INVALID', { 'content-range': `bytes */${blob.length}` });
  const contentRange = { 'content-range': `bytes ${from}-${to}/${blob.length}` };
  return { status: 206, headers: { ...headers, ...contentRange }, body: blob.subarray(from, to + 1) };
}

/** Reads what a path asks for. Names may have slashes, so the last two segments decide. */
function parseRoute(path: string, pathPrefix = '/v2'): Route {
  if (path === pathPrefix || path === `${pathPrefix}/`) return { kind: 'base' };
  if (!path.startsWith(`${pathPrefix}/`)) return { kind: 'other' };
  const segments = path.slice(pathPrefix.length + 1).split('/');
  const repository = segments.slice(0, -2).join('/');
  const [noun, reference = ''] = segments.slice(-2);
  if (repository === '') return { kind: 'other' };
  if (noun === 'tags' && reference === 'list') return { kind: 'tags', repository };
  if (noun === 'manifests') return { kind: 'manifest', repository, reference: decodeURIComponent(reference) };
  return noun === 'blobs' ? { kind: 'blob', repository, reference: decodeURIComponent(reference) } : { kind: 'other' };
}

/** An HTTP or HTTPS server on 127.0.0.1 whose answers are values. */
export async function serveAnswers(
  { tls, pathPrefix }: ServerOptions,
  answer: (question: Question) => Answer | Promise<Answer>,
): Promise<LoopbackServer> {
  const scheme = tls === undefined ? 'http' : 'https';
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    readQuestion(request, scheme, pathPrefix)
      .then(answer)
      .catch((cause: unknown) => ({ status: 500, headers: {}, body: Buffer.from(String(cause)) }))
      .then(async (result) => await deliver(result, request, response))
      // only the client going away ends a delivery early
      .catch(() => request.socket.destroy());
  };
  const listener = tls === undefined ? createServer(respond) : createTlsFront(tls, respond);
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listenOnLoopback(listener);
  const host = `127.0.0.1:${port}`;
  let closed: Promise<void> | undefined;
  return {
    host,
    port,
    origin: `${scheme}://${host}`,
    close: async () => {
      closed ??= new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      await closed;
    },
  };
}

/** A TLS server that answers plain HTTP with a 400 in plain text, as Go's and nginx do. */
function createTlsFront(
  tls: TlsOptions,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const secure = createTlsServer(tls, respond);
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  // header and body are written apart: without it each answer waits for the client's delayed acknowledgement (40 ms)
  return createListener({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      const isHandshake = first[0] === 0x16;
      if (!isHandshake) {
        socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
        return;
      }
      socket.pause();
      socket.unshift(first);
      secure.emit('connection', socket);
    });
  });
}

async function listenOnLoopback(listener: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address.port;
}

const MAX_BODY_BYTES = 1024 * 1024;

async function readQuestion(request: IncomingMessage, scheme: string, pathPrefix?: string): Promise<Question> {
  const url = new URL(`${scheme}://${request.headers.host ?? 'unnamed'}${request.url ?? '/'}`);
  const { method = 'GET', headers } = request;
  const body = method === 'GET' || method === 'HEAD' ? '' : await readBody(request);
  return { method, url, headers, body, route: parseRoute(url.pathname, pathPrefix) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += String(chunk);
    if (body.length > MAX_BODY_BYTES) throw new Error(`a body of more than ${MAX_BODY_BYTES} bytes`);
  }
  return body;
}

async function deliver(answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body, delayMs = 0, bytesPerSecond, cutAt, raw } = answer;
  if (delayMs === Infinity) return;
  if (delayMs > 0) await sleep(delayMs, undefined, { signal: untilGone(response) });
  if (raw !== undefined || cutAt === 'start') {
    request.socket.end(raw ?? '');
    return;
  }
  const length = 'transfer-encoding' in headers ? {} : { 'content-length': String(body.length) };
  response.writeHead(status, { ...length, ...copyLists(headers) });
  // a promise of more bytes than came is broken by ending the connection, as Go's server does
  const sent = body.subarray(0, cutAt);
  const promised = Number(headers['content-length'] ?? body.length);
  const isBroken = sent.length < Math.max(promised, body.length);
  if (request.method === 'HEAD') response.end();
  else if (bytesPerSecond === undefined && !isBroken) response.end(body);
  else {
    response.flushHeaders();
    await writePaced(response, sent, bytesPerSecond);
    if (isBroken) request.socket.end();
    else response.end();
  }
}

/** Without a reason, each would make an error with a stack. */
function untilGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort('the connection is closed'));
  return gone.signal;
}

/** Slices of a twentieth of a second, so that a slow answer is a steady one. */
async function writePaced(
  response: ServerResponse,
  body: Uint8Array,
  bytesPerSecond: number | undefined,
): Promise<void> {
  const signal = untilGone(response);
  const slice = bytesPerSecond === undefined ? Math.max(1, body.length) : Math.max(1, Math.ceil(bytesPerSecond / 20));
  for (let at = 0; at < body.length; at += slice) {
    // pacing is waiting in turn
    // oxlint-disable-next-line no-await-in-loop
    if (at > 0) await sleep(50, undefined, { signal });
    response.write(body.subarray(at, at + slice));
  }
}

function copyLists(headers: Answer['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}
