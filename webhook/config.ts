import { isIP } from 'node:net';
import { err, ok, type Result } from './image/result.ts';

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
  readonly hosts: readonly string[];
  readonly logLevel: LogLevel;
  /** How long a replica that was told to end goes on accepting. */
  readonly lingerMs: number;
};

export type Address = { readonly host: string; readonly port: number };
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a flag or its environment variable may say, by its name in commander. */
export const SERVE_FLAGS = [
  ['listen', 'PULLGUARD_LISTEN'],
  ['adminListen', 'PULLGUARD_ADMIN_LISTEN'],
  ['tlsCert', 'PULLGUARD_TLS_CERT'],
  ['tlsKey', 'PULLGUARD_TLS_KEY'],
  ['policy', 'PULLGUARD_POLICY'],
  ['policyConfigmap', 'PULLGUARD_POLICY_CONFIGMAP'],
  ['kubeconfig', 'PULLGUARD_KUBECONFIG'],
  ['noKube', 'PULLGUARD_NO_KUBE'],
  ['namespace', 'PULLGUARD_NAMESPACE'],
  ['service', 'PULLGUARD_SERVICE'],
  ['tlsSecret', 'PULLGUARD_TLS_SECRET'],
  ['webhookConfiguration', 'PULLGUARD_WEBHOOK_CONFIGURATION'],
  ['addHost', 'PULLGUARD_ADD_HOST'],
  ['logLevel', 'PULLGUARD_LOG_LEVEL'],
  ['linger', 'PULLGUARD_LINGER'],
] as const;

export type ServeFlag = (typeof SERVE_FLAGS)[number][0];
export type ServeSettings = Readonly<Partial<Record<ServeFlag, string>>>;

/** Flags win over the environment, an empty variable counts as unset. */
export function mergeSettings(
  flags: ServeSettings,
  environment: Readonly<Record<string, string | undefined>>,
): ServeSettings {
  const entries = SERVE_FLAGS.flatMap(([flag, variable]) => {
    const value = flags[flag] ?? environment[variable];
    return value === undefined || value === '' ? [] : [[flag, value] as const];
  });
  return Object.fromEntries(entries);
}

/** Checks the settings as a whole; every mistake is reported, each naming its flag. */
export function readConfig(settings: ServeSettings): Result<Config, readonly string[]> {
  const mistakes: string[] = [];
  const listen = readAddress('--listen', settings.listen ?? '0.0.0.0:8443', mistakes);
  const adminListen = readAddress('--admin-listen', settings.adminListen ?? '0.0.0.0:8080', mistakes);
  const hasKube = settings.noKube === undefined || settings.noKube === 'false';
  const { tlsCert, tlsKey } = settings;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) mistakes.push('--tls-cert and --tls-key belong together');
  if (!hasKube && (tlsCert === undefined || tlsKey === undefined)) {
    mistakes.push('--no-kube: there is no cluster to keep a certificate in, give --tls-cert and --tls-key');
  }
  if (!hasKube && settings.policyConfigmap !== undefined) {
    mistakes.push('--no-kube: there is no cluster to read --policy-configmap from, give --policy');
  }
  if (!hasKube && settings.kubeconfig !== undefined) mistakes.push('--no-kube and --kubeconfig contradict each other');
  if (settings.policy !== undefined && settings.policyConfigmap !== undefined) {
    mistakes.push('--policy and --policy-configmap contradict each other');
  }
  const policy = readPolicySource(settings, mistakes);
  const logLevel = settings.logLevel ?? 'info';
  if (!isLogLevel(logLevel)) mistakes.push(`--log-level "${logLevel}": expected debug, info, warn or error`);
  const linger = Number(settings.linger ?? '5000');
  if (!Number.isInteger(linger) || linger < 0 || linger > 60_000) {
    mistakes.push(`--linger "${settings.linger}": expected milliseconds from 0 to 60000`);
  }
  if (mistakes.length > 0) return err(mistakes);
  return ok(
    Object.freeze({
      listen,
      adminListen,
      tlsFiles: tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert, key: tlsKey },
      policy,
      kube: hasKube ? { kubeconfig: settings.kubeconfig, namespace: settings.namespace } : undefined,
      service: settings.service ?? 'pullguard',
      tlsSecret: settings.tlsSecret ?? 'pullguard-tls',
      webhookConfiguration: settings.webhookConfiguration ?? 'pullguard',
      hosts: settings.addHost?.split(',').map((one) => one.trim()) ?? [],
      logLevel: isLogLevel(logLevel) ? logLevel : 'info',
      lingerMs: linger,
    }),
  );
}

function readPolicySource(settings: ServeSettings, mistakes: string[]): Config['policy'] {
  if (settings.policy !== undefined) return { from: 'file', file: settings.policy };
  if (settings.policyConfigmap === undefined) return { from: 'defaults' };
  const [namespace, name, ...more] = settings.policyConfigmap.split('/');
  if (namespace === undefined || name === undefined || namespace === '' || name === '' || more.length > 0) {
    mistakes.push(`--policy-configmap "${settings.policyConfigmap}": expected NAMESPACE/NAME`);
    return { from: 'defaults' };
  }
  return { from: 'config-map', namespace, name };
}

/** `host:port`; port 0 takes any free one. */
function readAddress(flag: string, text: string, mistakes: string[]): Address {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/u.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  const port = Number(match?.groups?.['port']);
  const isSound = host !== undefined && port <= 65_535 && (match?.groups?.['v6'] === undefined || isIP(host) === 6);
  if (!isSound) mistakes.push(`${flag} "${text}": expected HOST:PORT, for example 0.0.0.0:8443`);
  return { host: host ?? '', port };
}

function isLogLevel(text: string): text is LogLevel {
  return text === 'debug' || text === 'info' || text === 'warn' || text === 'error';
}
