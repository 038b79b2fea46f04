import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';

/** Sends an answer as its value says, slowly or broken off where it says so. Rejects where the client goes away first. */
export async function deliver(answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
