import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Question } from '../../../webhook/demo/question.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { delay, only, raw, withHeaders } from '../../support/bend.ts';
import { createAuthority, createSelfSigned } from '../../support/pki.ts';
import { openDoor } from '../node-door.ts';
import { startRawServer, startShyServer, type RawServer } from './raw-server.ts';
import { HOST, hostOf, overHttp, type Stage } from './stage.ts';

const BAD_REQUEST = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';
const onData =
  (then: (socket: Socket) => void) =>
  (socket: Socket): void => {
    socket.once('data', () => then(socket));
  };

/** pull-parity E5, E6 and J84 to J90: what answers at a port, and what containerd makes of it. */
export async function addWireConditions({ registry, add, keep, nodeIp }: Stage): Promise<void> {
  const listening = async (
    id: string,
    rule: string,
    start: () => Promise<RawServer>,
    more = '',
    openBecause?: string,
  ): Promise<void> => {
    const host = hostOf(keep(await start()));
    const text = `server = "${more === '' ? 'https' : 'http'}://${host}"\n${more}`;
    add({ id, rule, image: `${host}/app:1`, node: { [`${host}/hosts.toml`]: text }, openBecause });
  };
  const shy = async (onHello: (socket: Socket) => void): Promise<RawServer> =>
    await startShyServer((await registry()).port, onHello);
  const end = (socket: Socket): void => void socket.end();
  const reset = (socket: Socket): void => void socket.resetAndDestroy();
  const silence = (): void => undefined;
  const late = (socket: Socket): void => void setTimeout(() => socket.end(BAD_REQUEST), 3_000);
  const garbage = (socket: Socket): void => void socket.end('garbage\r\n\r\n');

  const ASKED_IN_HTTP = 'who answers TLS with noise is asked in plain HTTP what it is';
  await listening('wire-garbage', 'E13', () => startRawServer(onData(garbage)));
  await listening('wire-ssh', 'E13', () => startRawServer((socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n')));
  await listening('wire-ends-at-once', 'E13', () => startRawServer(end));
  await listening('wire-ends-after-hello', 'E13', () => startRawServer(onData(end)));
  await listening('wire-resets', 'E13', () => startRawServer(onData(reset)));
  await listening('wire-silent', 'J86', () => startRawServer(silence));
  await listening('wire-late-400', 'J87', () => shy(late));

  // http with TLS settings tries TLS first
  const SKIP = 'skip_verify = true\n';
  await listening('fallback-400-late', 'E6', () => shy(late), SKIP);
  await listening('fallback-silent', 'E6', () => shy(silence), SKIP);
  await listening('fallback-ends', 'E6', () => shy(end), SKIP);
  await listening('fallback-resets', 'E6', () => shy(reset), SKIP);
  await listening('fallback-garbage', 'E6', () => shy(garbage), SKIP, ASKED_IN_HTTP);

  // and so does loopback
  const loopback = async (
    id: string,
    server: { readonly port: number },
    name = '127.0.0.1',
    openBecause?: string,
  ): Promise<void> => add({ id, rule: 'E5', image: `${name}:${server.port}/app:1`, openBecause });
  await loopback('loopback-400-late', keep(await shy(late)));
  await loopback('loopback-silent', keep(await shy(silence)));
  await loopback('loopback-ends', keep(await shy(end)));
  await loopback('loopback-garbage', keep(await shy(garbage)), undefined, ASKED_IN_HTTP);
  await loopback('loopback-name-http', await registry(), 'localhost');
  const self = createSelfSigned({ names: ['elsewhere.test'] });
  const tls = { cert: self.chain, key: self.key };
  await loopback('loopback-tls', await registry({ tls }));
  await loopback('loopback-name-tls', await registry({ tls }), 'localhost');
  await loopback('loopback-other-name', await registry(), HOST);

  // the node's own address is not loopback
  const door = async (port: number): Promise<string> => {
    const opened = keep(await openDoor(nodeIp, port));
    return `${nodeIp}:${opened.port}`;
  };
  add({ id: 'address-http', rule: 'E5', image: `${await door((await registry()).port)}/app:1` });
  const declared = await door((await registry()).port);
  add({ id: 'address-http-declared', rule: 'E4', image: `${declared}/app:1`, node: overHttp(declared) });
  const authority = createAuthority('Truth Address Root');
  const address = async (id: string, names: object): Promise<void> => {
    const { chain, key } = authority.issue(names);
    const host = await door((await registry({ tls: { cert: chain, key } })).port);
    add({ id, rule: 'J89', image: `${host}/app:1`, node: { [`${host}/ca.crt`]: authority.certificate } });
  };
  await address('address-certified', { addresses: [nodeIp] });
  await address('address-without-its-name', { names: [HOST] });
  await address('address-as-dns-name', { names: [nodeIp] });
  await address('address-as-common-name', { commonName: nodeIp });

  // how HTTP is spoken
  const spoken = async (id: string, rule: string, bend: Bend, openBecause?: string): Promise<void> => {
    const host = hostOf(await registry({ bends: [bend] }));
    add({ id, rule, image: `${host}/app:1`, node: overHttp(host), openBecause });
  };
  await spoken('http-closes', 'D1', withHeaders({ connection: 'close' }));
  await spoken('http-header-20-kib', 'D1', withHeaders({ 'x-long': 'x'.repeat(20_000) }));
  await spoken(
    'http-header-100-kib',
    'D1',
    withHeaders({ 'x-long': 'x'.repeat(100_000) }),
    'we read headers of 32 KiB at most',
  );
  await spoken('http-slow-12-s', 'G5', only({ kind: 'manifest', method: 'HEAD' }, delay(12_000)));
  await spoken(
    'http-no-reason',
    'D1',
    asText((lines) => lines.replace(/^HTTP\/1.1 (?<status>\d+) .*/u, 'HTTP/1.1 $<status>')),
  );
  await spoken(
    'http-1.0'.replace('.', '-'),
    'D1',
    asText((lines) => lines.replace('HTTP/1.1', 'HTTP/1.0')),
  );
  await spoken(
    'http-bare-line-feeds',
    'D1',
    asText((lines) => lines.replaceAll('\r\n', '\n')),
    'Node reads no such header',
  );
  await spoken('gzip-when-asked', 'D12', gzipped(isAsked));
  const always = gzipped(() => true);
  await spoken('gzip-always', 'D12', always);
  await spoken('gzip-blobs-when-asked', 'D12', only({ kind: 'blob' }, gzipped(isAsked)));
  await spoken('gzip-blobs-always', 'D12', only({ kind: 'blob' }, always));
  await spoken('encoding-identity', 'D12', withHeaders({ 'content-encoding': 'identity' }));
  await spoken('encoding-unknown', 'D12', withHeaders({ 'content-encoding': 'aws-chunked' }));
}

const isAsked = ({ headers }: Question): boolean => /gzip/u.test(headers['accept-encoding'] ?? '');

/** A proxy that compresses. */
function gzipped(does: (question: Question) => boolean): Bend {
  return (question, answer) =>
    question.method === 'GET' && answer.status === 200 && does(question)
      ? { ...answer, body: gzipSync(answer.body), headers: { ...answer.headers, 'content-encoding': 'gzip' } }
      : answer;
}

/** The answer as bytes, after which the connection ends, with other words before the body. */
function asText(change: (lines: string) => string): Bend {
  return (question, answer) => {
    const { status, headers, body } = answer;
    const lines = [
      `HTTP/1.1 ${status} So be it`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
      `content-length: ${body.length}`,
      'connection: close',
    ];
    const head = Buffer.from(change(`${lines.join('\r\n')}\r\n\r\n`));
    return raw(question.method === 'HEAD' ? head : Buffer.concat([head, body]))(question, answer);
  };
}
