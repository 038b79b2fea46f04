import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Asked } from './condition.ts';
import { NAMES } from './stage.ts';

const PODMAN = '/usr/bin/podman';
/** What every node of these conditions has unless a condition says otherwise. */
export const NODE_FILES: Readonly<Record<string, string>> = Object.freeze({
  'registries.conf': '',
  'policy.json': '{"default": [{"type": "insecureAcceptAnything"}]}',
});
const AUTH_FILE = 'auth.json';
/** No condition waits for anything: a pull that takes so long hangs. */
const PATIENCE_MS = 60_000;

export type Pulled = {
  readonly pulls: boolean;
  /** The end of what podman said. */
  readonly said: string;
};

/** `false` where podman can be asked: Debian's, by root, in a mount namespace of its own. */
export function skipReason(): string | false {
  if (!existsSync(PODMAN)) return `${PODMAN} is not installed (apt-get install podman)`;
  const { status } = spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
  return status === 0 ? false : 'unshare --mount is not allowed: podman needs settings files of its own (run as root)';
}

export const podmanVersion = (): string => spawnSync(PODMAN, ['--version'], { encoding: 'utf8' }).stdout.trim();

/**
 * One pull by podman as the node would make it, with the login handed over as the kubelet does. Files, names, storage
 * and caches are its own, in a folder that goes with it. podman asks again after a failure, which CRI-O does not: the
 * first failure is the answer.
 */
export async function askPodman(asked: Asked, signal: AbortSignal): Promise<Pulled> {
  const folder = await mkdtemp(join(tmpdir(), 'podman-truth-'));
  try {
    await writeNode(folder, asked);
    return await runPodman(folder, asked, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeNode(folder: string, { image, files, login }: Asked): Promise<void> {
  const inside = ['etc', 'lib', 'run', 'shm', 'home', 'tmp', 'root'].map((name) => join(folder, name));
  await Promise.all(inside.map(async (path) => await mkdir(path)));
  await writeFile(join(folder, 'hosts'), `127.0.0.1 localhost ${NAMES.join(' ')}\n`);
  // nobody answers there: no name is asked for outside this machine
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  const auth = Buffer.from(`${login?.username ?? ''}:${login?.password ?? ''}`).toString('base64');
  await writeFile(join(folder, AUTH_FILE), JSON.stringify({ auths: { [image.split('/', 1)[0] ?? '']: { auth } } }));
  for (const [name, text] of Object.entries({ ...NODE_FILES, ...files })) {
    const path = join(folder, 'etc', name);
    // a folder before its file
    // oxlint-disable-next-line no-await-in-loop
    await mkdir(dirname(path), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(path, text);
  }
}

const IN_NAMESPACE = `
cd "$1" &&
mount --bind etc /etc/containers && mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf &&
mount --bind lib /var/lib && mount --bind shm /dev/shm && mount --bind run /run && shift && exec "$@"
`;

/** podman would ask at a terminal for an empty password, unless a file has it. */
function loginOptions(folder: string, { username, password }: NonNullable<Asked['login']>): readonly string[] {
  return password === '' ? ['--authfile', join(folder, AUTH_FILE)] : ['--creds', `${username}:${password}`];
}

async function runPodman(folder: string, asked: Asked, signal: AbortSignal): Promise<Pulled> {
  const { image, login, platform = 'linux/amd64' } = asked;
  const options = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run', 'containers'),
    '--storage-driver',
    'vfs',
    'pull',
    '--quiet',
    ...(platform === 'linux/amd64' ? [] : ['--platform', platform]),
    ...(login === undefined ? [] : loginOptions(folder, login)),
  ];
  const child = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', IN_NAMESPACE, 'sh', folder, PODMAN, ...options, image],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') },
    },
  );
  let said = '';
  let isAnswered = false;
  const end = (): void => {
    child.kill('SIGKILL');
  };
  signal.addEventListener('abort', end, { once: true });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (!/Failed, retrying in/u.test(said)) return;
    isAnswered = true;
    end();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal.removeEventListener('abort', end);
  if (code === null && !isAnswered) throw new Error(`podman gave no answer in time: ${said}`);
  return { pulls: code === 0, said: said.trim().slice(-600) };
}
