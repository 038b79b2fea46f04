import { connect, type TLSSocket } from 'node:tls';
import { UID_PLACEHOLDER } from './review.ts';

/** What is to be sent, and for how long: until both `minSeconds` and `reviews` are reached. */
export type LoadJob = {
  readonly port: number;
  /** PEM text of what signed the server's certificate. */
  readonly authority: string;
  readonly review: string;
  readonly connections: number;
  readonly isKeptAlive: boolean;
  readonly minSeconds: number;
  readonly reviews: number;
};

/** Milliseconds from the first byte of a request, or of its connection, to the last of its answer. */
export type LoadResult =
  | {
      readonly kind: 'measured';
      readonly reviews: number;
      readonly seconds: number;
      readonly p50: number;
      readonly p99: number;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * The API server's part, as light as it can be, so that the server is what is measured: raw TLS sockets, one prepared
 * request each, of which only the uid changes. Every answer must be a 200 for that uid that allows.
 */
function runLoad(job: LoadJob): Promise<LoadResult> {
  const { promise, resolve } = Promise.withResolvers<LoadResult>();
  const latencies: number[] = [];
  const open = new Set<TLSSocket>();
  const startedAt = performance.now();
  let sent = 0;
  const mayGoOn = (): boolean => sent < job.reviews || performance.now() - startedAt < job.minSeconds * 1000;
  const finish = (): void => {
    const seconds = (performance.now() - startedAt) / 1000;
    const sorted = Float64Array.from(latencies).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    resolve({ kind: 'measured', reviews: sorted.length, seconds, p50: at(0.5), p99: at(0.99) });
  };
  const fail = (reason: string): void => {
    resolve({ kind: 'failed', reason });
    for (const socket of open) socket.destroy();
  };

  const start = (): void => {
    const request = prepare(job);
    const beganAt = performance.now();
    let sentAt = beganAt;
    let uid = '';
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port: job.port, ca: job.authority, ALPNProtocols: ['http/1.1'] });
    open.add(socket);
    const send = (): void => {
      uid = uidOf(sent);
      sent += 1;
      request.bytes.write(uid, request.uidAt, 'latin1');
      answer = '';
      sentAt = performance.now();
      socket.write(request.bytes);
    };
    socket.setNoDelay(true).setEncoding('latin1');
    socket.once('secureConnect', send);
    socket.on('data', (text: string) => {
      answer += text;
      if (!isWhole(answer)) return;
      latencies.push(performance.now() - (job.isKeptAlive ? sentAt : beganAt));
      if (!answer.startsWith('HTTP/1.1 200 ') || !answer.includes(uid) || !answer.includes('"allowed":true')) {
        fail(`an answer that does not allow: ${answer.slice(0, 1000)}`);
      } else if (job.isKeptAlive && mayGoOn()) send();
      else socket.destroy();
    });
    socket.on('error', (error) => fail(error.message));
    socket.once('close', () => {
      open.delete(socket);
      if (uid !== '' && !isWhole(answer)) fail('a connection that was closed before its answer');
      else if (mayGoOn()) start();
      else if (open.size === 0) finish();
    });
  };
  for (let at = 0; at < job.connections; at += 1) start();
  return promise;
}

function prepare({ review, isKeptAlive }: LoadJob): { readonly bytes: Buffer; readonly uidAt: number } {
  const head = [
    'POST /validate?timeout=5s HTTP/1.1',
    'Host: pullguard.pullguard.svc:443',
    'User-Agent: kube-apiserver-admission',
    `Content-Length: ${Buffer.byteLength(review)}`,
    'Accept: application/json, */*',
    'Content-Type: application/json',
    ...(isKeptAlive ? [] : ['Connection: close']),
  ];
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${review}`);
  return { bytes, uidAt: bytes.indexOf(UID_PLACEHOLDER) };
}

function uidOf(number: number): string {
  return `${UID_PLACEHOLDER.slice(0, -12)}${String(number).padStart(12, '0')}`;
}

/** Both servers say how long their answers are. */
function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (?<length>\d+)/iu.exec(answer)?.groups?.['length'];
  return answer.length >= head + 4 + Number(length);
}

process.on('message', (job: LoadJob) => {
  runLoad(job).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ kind: 'failed', reason: String(error) } satisfies LoadResult),
  );
});
process.on('disconnect', () => process.exit());
