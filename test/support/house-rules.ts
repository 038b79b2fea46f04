import { posix } from 'node:path';
import { readSourceCode } from './source-code.ts';

/** A part of the house: a folder under webhook/, a file directly in it, or certs. */
type Room = string;

const PURE: readonly Room[] = ['image', 'outcome'];

/** What each room may import besides itself: these rooms, or every room but those. */
const ROOMS: Readonly<Record<Room, { readonly only: readonly Room[] } | { readonly allBut: readonly Room[] }>> = {
  image: { only: [] },
  outcome: { only: ['image'] },
  // what the disk of this machine holds
  file: { only: ['image'] },
  node: { only: [...PURE, 'file'] },
  credentials: { only: PURE },
  registry: { only: PURE },
  kube: { only: [...PURE, 'file'] },
  pull: { only: [...PURE, 'node', 'credentials', 'registry'] },
  policy: { only: PURE },
  admission: { only: [...PURE, 'policy'] },
  http: { only: [...PURE, 'admission'] },
  // counts and logs what reviews and policies say of themselves
  telemetry: { only: [...PURE, 'policy', 'admission'] },
  report: { only: PURE },
  manifests: { only: [...PURE, 'admission'] },
  // kept in a Secret, so through the one connection to the cluster
  certs: { only: [...PURE, 'file', 'kube'] },
  'version.ts': { only: [] },
  'add-host.ts': { only: PURE },
  'config.ts': { only: [...PURE, 'policy', 'add-host.ts'] },
  // a user's own question: no server, and a cluster only where one is named
  check: { allBut: ['http', 'certs', 'demo', 'webhook.ts', 'main.ts', 'cli.ts', 'cli'] },
  'policy-source.ts': { only: [...PURE, 'file', 'policy', 'engine', 'kube'] },
  'cluster-addresses.ts': { only: ['engine', 'kube'] },
  'cluster.ts': { only: ['engine', 'kube', 'config.ts'] },
  'policy-in-force.ts': { only: ['cluster.ts', 'config.ts', 'engine', 'policy-source.ts', 'telemetry'] },
  // the servers around an engine: serve and demo bring the rest
  'webhook.ts': { only: ['admission', 'engine', 'http', 'telemetry', 'config.ts'] },
  // joins what predicts a pull, for main and cli alike: without the cluster
  engine: { allBut: ['kube', 'http', 'certs', 'demo', 'manifests', 'report', 'main.ts', 'cli.ts', 'cli'] },
  demo: { allBut: ['main.ts', 'cli.ts', 'cli'] },
  'main.ts': { allBut: ['cli.ts', 'cli', 'demo'] },
  'cli.ts': { allBut: [] },
  cli: { allBut: ['cli.ts'] },
  'pullguard.js': { allBut: [] },
};

/** Where each third-party package may be imported: files, or folders with their slash. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['webhook/kube/', 'certs/'],
  commander: ['webhook/cli.ts', 'webhook/cli/'],
  express: ['webhook/http/'],
  'ipaddr.js': ['webhook/node/', 'webhook/registry/guard.ts', 'webhook/policy/'],
  'lru-cache': ['webhook/pull/'],
  'node-forge': ['certs/'],
  'p-limit': ['webhook/'],
  pino: ['webhook/telemetry/'],
  'prom-client': ['webhook/telemetry/'],
  'smol-toml': ['webhook/node/'],
  undici: ['webhook/registry/transport.ts', 'webhook/kube/api.ts'],
  yaml: ['webhook/policy/', 'webhook/manifests/'],
  zod: ['webhook/policy/', 'webhook/config.ts'],
};

/** Packages that only one file at all may import. */
export const SINGLE_FILE_PACKAGES: readonly string[] = ['lru-cache', 'node-forge'];

/** Starts cli as it was published or as it is in a checkout, so its import is computed. */
const STARTER = 'webhook/pullguard.js';
const PROCESS_FILES: readonly string[] = ['webhook/main.ts', 'webhook/cli.ts', STARTER];
const EMPTY_NAMES: ReadonlySet<string> = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'types', 'misc']);

/** Every rule that a file of webhook/ or certs/ breaks, in words. `path` is relative to the project. */
export function brokenRules(path: string, source: string): readonly string[] {
  const { imports, code } = readSourceCode(source);
  const problems = imports.map((specifier) => importProblem(path, specifier)).filter((one) => one !== undefined);
  if (ruleOf(roomOf(path)) === undefined) problems.push(`room ${roomOf(path)} has no import rule`);
  if (path !== STARTER && /\bimport\s*\((?!\s*['"])|\bimport\s*\(\s*`|\b(?:require|createRequire)\s*\(/u.test(code)) {
    problems.push('imports a name that is not written as a plain text');
  }
  if (!PROCESS_FILES.includes(path) && /(?<![.\w$])process\s*[?.[]|\bglobalThis\s*\.\s*process\b/u.test(code)) {
    problems.push('touches process, which only main.ts and cli.ts may');
  }
  if (/^\s*export\s+default\b|\bas\s+default\b/mu.test(code)) problems.push('has a default export');
  if (isEmptyName(path)) problems.push('has a name that says nothing: name the noun');
  return problems.map((problem) => `${path}: ${problem}`);
}

/** Whether a file is named after nothing in particular, here or by its folder. */
export function isEmptyName(path: string): boolean {
  return path.split('/').some((part) => (part.split('.', 1)[0] ?? '').split('-').some((word) => EMPTY_NAMES.has(word)));
}

function importProblem(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return roomProblem(path, posix.join(posix.dirname(path), specifier));
  const room = roomOf(path);
  if (specifier.startsWith('node:')) {
    if (PURE.includes(room)) return `imports ${specifier}, and ${room} is pure values`;
    const isProcess = specifier === 'node:process' && !PROCESS_FILES.includes(path);
    return isProcess ? 'imports node:process, which only main.ts and cli.ts may' : undefined;
  }
  const name = packageOf(specifier);
  const homes = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
  if (homes === undefined) return `imports ${name}, which has no place in the house`;
  if (PURE.includes(room)) return `imports ${name}, and ${room} is pure values`;
  const isHome = homes.some((home) => (home.endsWith('/') ? path.startsWith(home) : path === home));
  return isHome ? undefined : `imports ${name}, which belongs to ${homes.join(', ')}`;
}

/** `@scope/name/part` is of the package `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function roomProblem(path: string, target: string): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (!/^(?:webhook|certs)\//u.test(target)) return `imports ${target}, which is outside webhook/ and certs/`;
  if (!/\.(?:ts|js)$/u.test(target)) return `imports ${target} without its extension`;
  const rule = ruleOf(from);
  if (from === to || rule === undefined) return undefined;
  const isAllowed = 'only' in rule ? rule.only.includes(to) : !rule.allBut.includes(to);
  return isAllowed ? undefined : `imports ${target}, and ${from} must not know ${to}`;
}

const ruleOf = (room: Room) => (Object.hasOwn(ROOMS, room) ? ROOMS[room] : undefined);

function roomOf(path: string): Room {
  const [top = '', room = ''] = path.split('/');
  return top === 'webhook' ? room : top;
}
