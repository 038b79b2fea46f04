import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parseRoute, type Route } from './route.ts';

/** A request as it arrived. */
export type Question = {
  readonly method: string;
  /** As the client wrote it, with the host it asked for. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** At most 1 MiB; empty for GET and HEAD. */
  readonly body: string;
  readonly route: Route;
};

const MAX_BODY_BYTES = 1024 * 1024;

/** Reads a request whole; rejects where its body is larger than that. */
export async function readQuestion(request: IncomingMessage, scheme: string, pathPrefix?: string): Promise<Question> {
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
