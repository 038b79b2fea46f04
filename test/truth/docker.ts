import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseReference } from '../../webhook/image/reference.ts';
import type { Asked } from './condition.ts';
import { ELSEWHERE } from './elsewhere.ts';
import type { Pulled } from './podman.ts';

const DOCKERD = '/usr/sbin/dockerd';
/** Comes with the containerd that dockerd wants. */
const CTR = '/usr/bin/ctr';
const EXEC_ROOT = 'exec';
/** A pull that takes so long hangs. */
const PATIENCE_MS = 60_000;
/** dockerd waits for 5 s, 10 s and so on between its tries, which show nothing new of what fails for good. */
const NODE_DAEMON = { 'max-download-attempts': 1 } as const;

/** A dockerd with storage, settings and names of its own, asked for one pull at a time. */
export type Dockerd = {
  readonly version: string;
  readonly pull: (asked: Asked, signal: AbortSignal) => Promise<Pulled>;
  readonly close: () => Promise<void>;
};

/** `false` where dockerd can be asked: Debian's, by root, in a network and a mount namespace of its own. */
export function skipReason(): string | false {
  if (!existsSync(DOCKERD)) return `${DOCKERD} is not installed (apt-get install docker.io)`;
  const isAlone = networkInterfaces()['lo']?.some(({ address }) => address === ELSEWHERE) ?? false;
  if (!isAlone) return `${ELSEWHERE} is not this machine: npm run test:docker gives it a network of its own (as root)`;
  const { status } = spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
  return status === 0 ? false : 'unshare --mount is not allowed: dockerd needs settings files of its own (run as root)';
}

const IN_NAMESPACE = `
cd "$1" &&
mount --bind etc /etc/docker && mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf &&
mount --bind lib /var/lib && mount --bind run /run && shift && exec "$@"
`;

/** Starts dockerd with these names, trusting `authority` as the system's only one. */
export async function startDockerd(hosts: ReadonlyMap<string, readonly string[]>, authority: string): Promise<Dockerd> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-truth-'));
  const inside = ['etc', 'lib', 'run', 'tmp', 'home', 'root', EXEC_ROOT].map((name) => join(folder, name));
  await Promise.all(inside.map(async (path) => await mkdir(path)));
  const names = [...hosts].flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}\n`));
  await writeFile(join(folder, 'hosts'), `127.0.0.1 localhost\n${names.join('')}`);
  // nobody answers there: no name is asked for outside this machine
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  await writeFile(join(folder, 'system.crt'), authority);
  await writeFile(join(folder, 'etc', 'daemon.json'), JSON.stringify(NODE_DAEMON));
  const child = runDockerd(folder);
  const socketPath = join(folder, 'docker.sock');
  const close = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const version = await versionOf(child, socketPath, join(folder, 'log'));
    return { version, pull: createPull(child, folder, socketPath), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function runDockerd(folder: string): ChildProcess {
  const options = [
    '--config-file=/etc/docker/daemon.json',
    `--pidfile=${join(folder, 'dockerd.pid')}`,
    `--data-root=${join(folder, 'root')}`,
    `--exec-root=${join(folder, EXEC_ROOT)}`,
    `--host=unix://${join(folder, 'docker.sock')}`,
    '--storage-driver=vfs',
    '--bridge=none',
    '--iptables=false',
    '--ip-forward=false',
    '--ip-masq=false',
    '--userland-proxy=false',
  ];
  const log = openSync(join(folder, 'log'), 'w');
  return spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', IN_NAMESPACE, 'sh', folder, DOCKERD, ...options],
    {
      stdio: ['ignore', log, log],
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: join(folder, 'home'),
        TMPDIR: join(folder, 'tmp'),
        SSL_CERT_FILE: join(folder, 'system.crt'),
        SSL_CERT_DIR: join(folder, 'home'),
      },
    },
  );
}

/** Its containerd ends with it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

async function versionOf(child: ChildProcess, socketPath: string, log: string): Promise<string> {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const version = await call(socketPath, 'GET', '/version').catch(() => undefined);
    if (version !== undefined) return `dockerd ${String((JSON.parse(version.body) as { Version?: string }).Version)}`;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(100);
  }
  throw new Error(`dockerd does not start: ${(await readFile(log, 'utf8')).slice(-600)}`);
}

function createPull(child: ChildProcess, folder: string, socketPath: string): Dockerd['pull'] {
  const etc = join(folder, 'etc');
  let loaded = JSON.stringify(NODE_DAEMON);
  const load = async (text: string): Promise<void> => {
    const wanted = JSON.stringify({ ...NODE_DAEMON, ...(JSON.parse(text) as object) });
    if (wanted === loaded) return;
    await writeFile(join(etc, 'daemon.json'), wanted);
    await reload(child, socketPath);
    loaded = wanted;
  };
  return async ({ image, files = {}, login, platform = 'linux/amd64' }, signal) => {
    await rm(join(etc, 'certs.d'), { recursive: true, force: true });
    await writeAll(
      etc,
      Object.entries(files).filter(([name]) => name.startsWith('certs.d/')),
    );
    await load(files['daemon.json'] ?? '{}');
    const query = new URLSearchParams(pulledName(image));
    if (platform !== 'linux/amd64') query.set('platform', platform);
    const said = await call(socketPath, 'POST', `/images/create?${query.toString()}`, {
      headers: login === undefined ? {} : { 'x-registry-auth': base64Url(login) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    }).catch(orBrokenOff);
    await removeImages(socketPath);
    removeManifests(join(folder, EXEC_ROOT, 'containerd', 'containerd.sock'));
    return { pulls: said.status === 200 && !/"errorDetail":/u.test(said.body), said: lastLine(said.body) };
  };
}

/** Where pulling panics, dockerd drops the request and lives on. */
function orBrokenOff(error: unknown): Said {
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') {
    return { status: 0, body: 'it broke off the request' };
  }
  throw error;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(-600) ?? '';

/** As the docker client splits a name: a digest is what is pulled, whatever the tag. */
function pulledName(image: string): { readonly fromImage: string; readonly tag: string } {
  const parsed = parseReference(image);
  if (!parsed.ok) return { fromImage: image, tag: 'latest' };
  const { host, path, digest, tag } = parsed.value;
  return { fromImage: `${host}/${path}`, tag: digest ?? tag ?? 'latest' };
}

/** With the padding that Go wants (RFC 4648, section 5). */
const base64Url = (document: object): string =>
  Buffer.from(JSON.stringify(document)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

async function writeAll(folder: string, files: readonly (readonly [string, string])[]): Promise<void> {
  for (const [name, text] of files) {
    const path = join(folder, name);
    // a folder before its file
    // oxlint-disable-next-line no-await-in-loop
    await mkdir(dirname(path), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(path, text);
  }
}

/** Has daemon.json read again, and waits until dockerd says that it did. */
async function reload(child: ChildProcess, socketPath: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['daemon'], event: ['reload'] }));
  const signal = AbortSignal.timeout(10_000);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const events = request({ socketPath, path: `/events?filters=${filters}`, signal }, (response) => {
    child.kill('SIGHUP');
    response.once('data', () => {
      resolve();
      events.destroy();
    });
    response.on('error', reject);
  });
  events.on('error', reject).end();
  await promise;
}

/** Nothing of a pull is left for the next one. */
async function removeImages(socketPath: string): Promise<void> {
  const { body } = await call(socketPath, 'GET', '/images/json?all=1');
  for (const { Id } of JSON.parse(body) as readonly { readonly Id: string }[]) {
    // one may be another's parent
    // oxlint-disable-next-line no-await-in-loop
    await call(socketPath, 'DELETE', `/images/${Id}?force=1`);
  }
}

/** dockerd keeps manifests in its containerd, and asks no registry for what is there. */
function removeManifests(address: string): void {
  const ctr = (...words: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(CTR, ['--address', address, '--namespace', 'moby', ...words], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`ctr ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const digests = ctr('content', 'ls', '-q')
    .split('\n')
    .filter((digest) => digest !== '');
  if (digests.length > 0) ctr('content', 'rm', ...digests);
}

type Said = { readonly status: number; readonly body: string };

async function call(
  socketPath: string,
  method: string,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<Said> {
  return await new Promise<Said>((resolve, reject) => {
    const sent = request({ socketPath, method, path, ...options }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (text: string) => {
          body += text;
        })
        .on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        .on('error', reject);
    });
    sent.on('error', reject).end();
  });
}
