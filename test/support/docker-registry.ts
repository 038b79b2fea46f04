import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import type { Digest } from '../../webhook/image/digest.ts';
import type { ImageStore } from '../../webhook/demo/image-store.ts';
import { pushImage } from './push.ts';

/** Debian's package `docker-registry`: the distribution project's own server. */
const BINARY = '/usr/bin/docker-registry';

export const isAvailable = (): boolean => existsSync(BINARY);

/** For `it(name, { skip: skipReason() }, ...)`: `false` where the binary is there. */
export const skipReason = (): string | false =>
  isAvailable() ? false : `${BINARY} is not installed (apt-get install docker-registry)`;

/** The only login of a registry with `isPrivate`. */
export const LOGIN = Object.freeze({ username: 'puller', password: 'a password for tests' });
/** LOGIN's password by bcrypt, cost 4, the only hash the server takes; crypt(3) made it. */
const LOGIN_HASH = '$2b$04$abcdefghijklmnopqrstuuU9tuCsSfvqLb3ZvMivaBDcGya0m8DpG';

export type DockerRegistryOptions = {
  /** Asks for LOGIN, by Basic authentication. */
  readonly isPrivate?: boolean;
  /** PEM texts; plain HTTP where absent. `authority` is what the pusher trusts. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority: string };
};

/** A real registry on loopback, with its storage in a temporary folder. */
export interface DockerRegistry {
  readonly host: string;
  readonly origin: string;
  /** The filesystem driver's root: tests may damage what lies there. */
  readonly storagePath: string;
  /** The file with the bytes of a blob or a manifest. */
  contentPath(digest: Digest): string;
  /** Uploads an image of the store, or an index with all its images, and tags it. */
  push(store: ImageStore, repository: string, tag: string): Promise<void>;
  /** Ends the server and removes its folder. */
  readonly close: () => Promise<void>;
}

export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const { tls, isPrivate = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'));
  const storagePath = join(folder, 'storage');
  const configPath = join(folder, 'config.yml');
  const [certificate, key, htpasswd] = [join(folder, 'tls.crt'), join(folder, 'tls.key'), join(folder, 'htpasswd')];
  if (tls !== undefined) {
    await writeFile(certificate, tls.certificate);
    await writeFile(key, tls.key);
  }
  await writeFile(htpasswd, `${LOGIN.username}:${LOGIN_HASH}\n`);
  const config = {
    version: '0.1',
    log: { level: 'info', formatter: 'json' },
    // without the cache, damage done to the files is seen at once
    storage: { filesystem: { rootdirectory: storagePath }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      secret: 'of one test run',
      ...(tls === undefined ? {} : { tls: { certificate, key } }),
    },
    ...(isPrivate ? { auth: { htpasswd: { realm: 'docker-registry', path: htpasswd } } } : {}),
  };
  await writeFile(configPath, stringify(config));

  const server = spawn(BINARY, ['serve', configPath], { stdio: ['ignore', 'ignore', 'pipe'] });
  // a test run that is ended early must not leave the server behind
  const killOnExit = (): void => {
    server.kill('SIGKILL');
  };
  process.once('exit', killOnExit);
  const close = async (): Promise<void> => {
    await end(server);
    process.off('exit', killOnExit);
    await rm(folder, { recursive: true, force: true });
  };
  const host = await listeningHost(server).catch(async (cause: unknown) => {
    await close();
    throw new Error('starting docker-registry', { cause });
  });
  const origin = `${tls === undefined ? 'http' : 'https'}://${host}`;
  return {
    host,
    origin,
    storagePath,
    contentPath: (digest) => {
      const [algorithm = '', hex = ''] = digest.split(':');
      return join(storagePath, 'docker/registry/v2/blobs', algorithm, hex.slice(0, 2), hex, 'data');
    },
    push: async (store, repository, tag) => {
      await pushImage({ origin, authority: tls?.authority, login: isPrivate ? LOGIN : undefined }, store, {
        repository,
        tag,
      });
    },
    close,
  };
}

/** The server takes a port of its own choice and says in its log which one it is. */
async function listeningHost(server: ChildProcess): Promise<string> {
  const { stderr } = server;
  if (stderr === null) throw new Error('the log is not piped');
  const lines: string[] = [];
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`it ended with ${code}: ${lines.join('\n')}`)));
    createInterface({ input: stderr }).on('line', (line) => {
      lines.push(line);
      const host = /listening on (?<host>127\.0\.0\.1:\d+)/u.exec(line)?.groups?.['host'];
      if (host !== undefined) resolve(host);
    });
  });
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  await new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.kill('SIGKILL');
  });
}
