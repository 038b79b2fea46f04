import { isIP } from 'node:net';
import { readAddHosts, type HostAddresses } from './add-host.ts';
import { err, ok, type Result } from './image/result.ts';
import { quote } from './outcome/printable.ts';
import { parseDuration } from './policy/duration.ts';

/** Everything that `pullguard serve` is told, checked and frozen. */
export type Config = {
  readonly listen: Address;
  readonly adminListen: Address;
  /** A certificate that the operator brings; `undefined` for Pullguard's own, kept in the cluster. */
  readonly tlsFiles: { readonly cert: string; readonly key: string } | undefined;
  readonly policy:
    | { readonly from: 'file'; readonly file: string }
    | { readonly from: 'config-map'; readonly namespace: string; readonly name: string }
    | { readonly from: 'defaults' };
  /** `undefined` with `--no-kube`. */
  readonly kube: { readonly kubeconfig: string | undefined; readonly namespace: string | undefined } | undefined;
  readonly service: string;
  readonly tlsSecret: string;
  readonly webhookConfiguration: string;
  readonly hosts: HostAddresses;
  readonly logLevel: LogLevel;
  /** How long a replica that was told to end goes on accepting. */
  readonly lingerMs: number;
};

export type Address = { readonly host: string; readonly port: number };

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Each option of `serve`: as commander names it, as a user writes it, and its environment variable. */
export const SERVE_FLAGS = [
  { name: 'listen', flag: '--listen', variable: 'PULLGUARD_LISTEN' },
  { name: 'adminListen', flag: '--admin-listen', variable: 'PULLGUARD_ADMIN_LISTEN' },
  { name: 'tlsCert', flag: '--tls-cert', variable: 'PULLGUARD_TLS_CERT' },
  { name: 'tlsKey', flag: '--tls-key', variable: 'PULLGUARD_TLS_KEY' },
  { name: 'policy', flag: '--policy', variable: 'PULLGUARD_POLICY' },
  { name: 'policyConfigmap', flag: '--policy-configmap', variable: 'PULLGUARD_POLICY_CONFIGMAP' },
  { name: 'kubeconfig', flag: '--kubeconfig', variable: 'PULLGUARD_KUBECONFIG' },
  { name: 'noKube', flag: '--no-kube', variable: 'PULLGUARD_NO_KUBE' },
  { name: 'namespace', flag: '--namespace', variable: 'PULLGUARD_NAMESPACE' },
  { name: 'service', flag: '--service', variable: 'PULLGUARD_SERVICE' },
  { name: 'tlsSecret', flag: '--tls-secret', variable: 'PULLGUARD_TLS_SECRET' },
  { name: 'webhookConfiguration', flag: '--webhook-configuration', variable: 'PULLGUARD_WEBHOOK_CONFIGURATION' },
  { name: 'addHost', flag: '--add-host', variable: 'PULLGUARD_ADD_HOST' },
  { name: 'logLevel', flag: '--log-level', variable: 'PULLGUARD_LOG_LEVEL' },
  { name: 'linger', flag: '--linger', variable: 'PULLGUARD_LINGER' },
] as const;

type ServeFlag = (typeof SERVE_FLAGS)[number]['name'];
/** What the command line says; a list is joined by commas. */
export type ServeFlags = Readonly<Partial<Record<ServeFlag, string>>>;
/** A value with the name under which its author knows it: `--listen` or `PULLGUARD_LISTEN`. */
type Setting = { readonly text: string; readonly source: string };
export type ServeSettings = Readonly<Partial<Record<ServeFlag, Setting>>>;

/** Options win over the environment; an empty variable counts as unset. */
export function readSettings(
  flags: ServeFlags,
  environment: Readonly<Record<string, string | undefined>>,
): ServeSettings {
  const entries = SERVE_FLAGS.flatMap(({ name, flag, variable }): readonly (readonly [ServeFlag, Setting])[] => {
    const given = flags[name];
    if (given !== undefined) return [[name, { text: given, source: flag }]];
    const text = environment[variable] ?? '';
    return text === '' ? [] : [[name, { text, source: variable }]];
  });
  return Object.fromEntries(entries);
}

/** Longer than any cluster takes to hear that a replica has ended. */
const MAX_LINGER_MS = 60_000;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/u;

/** Checks the settings as a whole; every mistake is a line that names the option or the variable. */
export function readConfig(settings: ServeSettings): Result<Config, readonly string[]> {
  const mistakes: string[] = [];
  const { tlsCert, tlsKey } = settings;
  const hasKube = !readSwitch(settings.noKube, mistakes);
  const config: Config = {
    listen: readAddress(settings.listen, { host: '0.0.0.0', port: 8443 }, mistakes),
    adminListen: readAddress(settings.adminListen, { host: '0.0.0.0', port: 8080 }, mistakes),
    tlsFiles: tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert.text, key: tlsKey.text },
    policy: readPolicySource(settings, mistakes),
    kube: hasKube
      ? { kubeconfig: settings.kubeconfig?.text, namespace: readName(settings.namespace, undefined, mistakes) }
      : undefined,
    service: readName(settings.service, 'pullguard', mistakes),
    tlsSecret: readName(settings.tlsSecret, 'pullguard-tls', mistakes),
    webhookConfiguration: readName(settings.webhookConfiguration, 'pullguard', mistakes),
    hosts: readHosts(settings.addHost, mistakes),
    logLevel: readLogLevel(settings.logLevel, mistakes),
    lingerMs: readLinger(settings.linger, mistakes),
  };
  mistakes.push(...contradictions(settings, hasKube));
  return mistakes.length > 0 ? err(mistakes) : ok(Object.freeze(config));
}

/** What no setting says alone. */
function contradictions(settings: ServeSettings, hasKube: boolean): readonly string[] {
  const { tlsCert, tlsKey, policy, policyConfigmap, kubeconfig, noKube } = settings;
  const found: string[] = [];
  const lone = tlsCert ?? tlsKey;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const other = tlsCert === undefined ? '--tls-cert' : '--tls-key';
    found.push(`${lone?.source}: a certificate and its key belong together, add ${other}`);
  }
  if (policy !== undefined && policyConfigmap !== undefined) {
    found.push(`${policy.source} and ${policyConfigmap.source}: there is one policy, keep one of them`);
  }
  if (hasKube || noKube === undefined) return found;
  if (lone === undefined) {
    found.push(`${noKube.source}: no cluster keeps a certificate then, add --tls-cert and --tls-key`);
  }
  for (const one of [policyConfigmap, kubeconfig]) {
    if (one !== undefined)
      found.push(`${one.source} and ${noKube.source}: the one needs a cluster, the other forbids it`);
  }
  return found;
}

function readSwitch(setting: Setting | undefined, mistakes: string[]): boolean {
  if (setting === undefined) return false;
  const text = setting.text.toLowerCase();
  if (text !== 'true' && text !== 'false') mistakes.push(expected(setting, 'true or false'));
  return text === 'true';
}

function readName<T extends string | undefined>(
  setting: Setting | undefined,
  fallback: T,
  mistakes: string[],
): string | T {
  if (setting === undefined) return fallback;
  if (!NAME.test(setting.text)) mistakes.push(expected(setting, 'the name of an object in Kubernetes'));
  return setting.text;
}

function readHosts(setting: Setting | undefined, mistakes: string[]): HostAddresses {
  if (setting === undefined) return new Map();
  const hosts = readAddHosts(setting.text.split(',').map((one) => one.trim()));
  if (hosts.ok) return hosts.value;
  mistakes.push(...hosts.error.map((mistake) => `${setting.source} ${mistake}`));
  return new Map();
}

function readLogLevel(setting: Setting | undefined, mistakes: string[]): LogLevel {
  const level = LOG_LEVELS.find((one) => one === (setting?.text ?? 'info'));
  if (level === undefined && setting !== undefined) mistakes.push(expected(setting, 'debug, info, warn or error'));
  return level ?? 'info';
}

function readLinger(setting: Setting | undefined, mistakes: string[]): number {
  if (setting === undefined) return 5_000;
  const duration = setting.text === '0' ? ok(0) : parseDuration(setting.text);
  if (duration.ok && duration.value <= MAX_LINGER_MS) return duration.value;
  mistakes.push(expected(setting, 'a duration from 0s to 60s'));
  return 0;
}

function readPolicySource(settings: ServeSettings, mistakes: string[]): Config['policy'] {
  if (settings.policy !== undefined) return { from: 'file', file: settings.policy.text };
  if (settings.policyConfigmap === undefined) return { from: 'defaults' };
  const [namespace = '', name = '', ...more] = settings.policyConfigmap.text.split('/');
  if (NAME.test(namespace) && NAME.test(name) && more.length === 0) return { from: 'config-map', namespace, name };
  mistakes.push(expected(settings.policyConfigmap, 'NAMESPACE/NAME'));
  return { from: 'defaults' };
}

/** `host:port`; port 0 takes any free one. */
function readAddress(setting: Setting | undefined, fallback: Address, mistakes: string[]): Address {
  if (setting === undefined) return fallback;
  const groups = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/u.exec(setting.text)?.groups;
  const host = groups?.['v6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  const isSound = host !== undefined && port <= 65_535 && (groups?.['v6'] === undefined || isIP(host) === 6);
  if (!isSound) mistakes.push(expected(setting, 'HOST:PORT, for example 0.0.0.0:8443 or [::]:8443'));
  return { host: host ?? '', port };
}

const expected = ({ source, text }: Setting, what: string): string => `${source} ${quote(text, 80)}: expected ${what}`;
