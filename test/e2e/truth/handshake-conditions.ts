import type { Socket } from 'node:net';
import { createAuthority, expiredDates } from '../../support/pki.ts';
import { startRawServer } from './raw-server.ts';
import { HOST, hostOf, type Stage } from './stage.ts';

/** RFC 8446, section 6. */
const ALERTS: Readonly<Record<string, number>> = {
  'close-notify': 0,
  'unexpected-message': 10,
  'handshake-failure': 40,
  'bad-certificate': 42,
  'unknown-authority': 48,
  'access-denied': 49,
  'protocol-version': 70,
  'insufficient-security': 71,
  'internal-error': 80,
  'inappropriate-fallback': 86,
  'missing-extension': 109,
  'unrecognized-name': 112,
  'certificate-required': 116,
  'no-application-protocol': 120,
};

/** pull-parity E3, E6 and E13, as rows: what a server says to a hello in TLS, and whose certificates count. */
export async function addHandshakeConditions({ registry, add, keep }: Stage): Promise<void> {
  const answering = async (id: string, then: (socket: Socket) => void): Promise<void> => {
    const server = keep(await startRawServer((socket) => void socket.once('data', () => then(socket))));
    const host = hostOf(server);
    add({ id, rule: 'E13', image: `${host}/app:1`, node: { [`${host}/hosts.toml`]: `server = "https://${host}"\n` } });
  };
  for (const [name, code] of Object.entries(ALERTS)) {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, code]);
    await answering(`alert-${name}`, (socket) => void socket.end(alert));
  }
  await answering('hello-of-ssl-3', (socket) => void socket.end(Buffer.from([0x15, 3, 0, 0, 2, 2, 70])));
  await answering('hello-half', (socket) => void socket.end(Buffer.from([0x16, 3, 3, 0, 90, 2, 0, 0, 86])));
  await answering('hello-http-200', (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  await answering('hello-http-302', (socket) => void socket.end('HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n'));
  await answering('hello-echoed', (socket) => void socket.end(Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0])));

  const authority = createAuthority('Truth Alert Root');
  const tls = async (id: string, options: object, more: string, rule = 'E4'): Promise<void> => {
    const host = hostOf(await registry({ tls: { ...served(), ...options } }));
    const text = more.replaceAll('HOST', host);
    add({
      id,
      rule,
      image: `${host}/app:1`,
      node: { [`${host}/hosts.toml`]: text, [`${host}/root.pem`]: authority.certificate },
    });
  };
  const pair = authority.issue({ names: [HOST] });
  const served = (): object => ({ cert: pair.chain, key: pair.key });
  const other = authority.issue({ names: ['elsewhere.test'] });
  const named = authority.issue({ commonName: HOST, names: [] });
  const old = authority.issue({ names: ['elsewhere.test'], dates: expiredDates() });
  const CA = 'server = "https://HOST"\nca = "root.pem"\n';
  const SKIP = 'server = "https://HOST"\nskip_verify = true\n';
  await tls('tls-name-unchecked', { cert: other.chain, key: other.key }, SKIP);
  await tls('tls-common-name-unchecked', { cert: named.chain, key: named.key }, SKIP);
  await tls('tls-expired-and-wrong-name', { cert: old.chain, key: old.key }, CA, 'J89');
  await tls('tls-h2-offered', { ALPNProtocols: ['h2', 'http/1.1'] }, CA);
  await tls('tls-h2-only', { ALPNProtocols: ['h2'] }, CA);
  await tls('tls-declared-http-unchecked', {}, 'server = "http://HOST"\nskip_verify = true\n', 'E6');
  await tls('tls-declared-http-with-authority', {}, 'server = "http://HOST"\nca = "root.pem"\n', 'E6');
  await tls('tls-declared-http-of-stranger', {}, 'server = "http://HOST"\nca = []\n', 'E6');
  await tls('tls-scheme-missing', {}, 'server = "HOST"\nca = "root.pem"\n');
  await tls('tls-authority-list', {}, 'server = "https://HOST"\nca = ["root.pem", "root.pem"]\n');
  await tls('tls-authority-list-one-absent', {}, 'server = "https://HOST"\nca = ["root.pem", "absent.pem"]\n', 'E3');
  await tls('tls-authority-and-unchecked', {}, 'server = "https://HOST"\nca = "root.pem"\nskip_verify = false\n');
  await tls('tls-authority-of-table-only', {}, '[host."https://HOST"]\nca = "root.pem"\n');
  await tls('tls-authority-of-server-only', {}, 'server = "https://HOST"\nca = "root.pem"\n[host."https://HOST"]\n');
  await tls('tls-settings-broken', {}, 'server = "https://HOST\nca = "root.pem"\n', 'J93');
  await tls('tls-settings-empty', {}, '', 'E3');
  await tls('tls-settings-comment', {}, '# ca = "root.pem"\n', 'E3');

  // a server that ends the connection with who speaks plain HTTP to it
  const shy = keep(await startRawServer((socket) => void socket.once('data', () => socket.end())));
  add({
    id: 'http-ends-at-once',
    rule: 'E6',
    image: `${hostOf(shy)}/app:1`,
    node: { [`${hostOf(shy)}/hosts.toml`]: `server = "http://${hostOf(shy)}"\n` },
  });
  const beside = async (id: string, files: (host: string) => Readonly<Record<string, string>>): Promise<void> => {
    const host = hostOf(await registry({ tls: served() }));
    add({ id, rule: 'E3', image: `${host}/app:1`, node: files(host) });
  };
  const root = authority.certificate;
  await beside('crt-beside-empty-settings', (host) => ({ [`${host}/hosts.toml`]: '', [`${host}/root.crt`]: root }));
  await beside('crt-beside-comment', (host) => ({ [`${host}/hosts.toml`]: '# nothing\n', [`${host}/root.crt`]: root }));
  await beside('crt-beside-broken-settings', (host) => ({
    [`${host}/hosts.toml`]: 'server = "\n',
    [`${host}/root.crt`]: root,
  }));
  await beside('crt-beside-settings', (host) => ({
    [`${host}/hosts.toml`]: `server = "https://${host}"\n`,
    [`${host}/root.crt`]: root,
  }));
  await beside('crt-named-pem', (host) => ({ [`${host}/root.pem`]: root }));
  await beside('crt-named-upper-case', (host) => ({ [`${host}/ROOT.CRT`]: root }));
  await beside('crt-below', (host) => ({ [`${host}/more/root.crt`]: root }));
  await beside('crt-two', (host) => ({
    [`${host}/a.crt`]: createAuthority('Another').certificate,
    [`${host}/b.crt`]: root,
  }));
  await beside('crt-empty', (host) => ({ [`${host}/root.crt`]: '' }));
  await beside('crt-one-broken', (host) => ({ [`${host}/a.crt`]: 'nothing\n', [`${host}/b.crt`]: root }));
  await beside('crt-key-without-cert', (host) => ({ [`${host}/root.crt`]: root, [`${host}/node.key`]: 'nothing\n' }));
  await beside('crt-cert-broken', (host) => ({
    [`${host}/root.crt`]: root,
    [`${host}/node.cert`]: 'nothing\n',
    [`${host}/node.key`]: 'nothing\n',
  }));
}
