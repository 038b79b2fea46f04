import { KubeConfig } from '@kubernetes/client-node';
import { whyUnread } from '../file/why-unread.ts';

/** Where the way to the API server is written. `context` names one of the file's contexts, else its current one. */
export type KubeSource =
  | { readonly from: 'in-cluster' }
  | { readonly from: 'file'; readonly file: string; readonly context?: string | undefined }
  /** `$KUBECONFIG`, `~/.kube/config`, or the Pod's own ServiceAccount, in this order, as kubectl does. */
  | { readonly from: 'default'; readonly context?: string | undefined };

/**
 * Reads it. Throws with one line for the user where the file cannot be read, the context is unknown or no cluster
 * is named. Only https is taken: the token would travel in the clear.
 */
export function loadKubeConfig(source: KubeSource): { readonly config: KubeConfig; readonly server: URL } {
  const config = new KubeConfig();
  load(config, source);
  if (source.from !== 'in-cluster' && source.context !== undefined) selectContext(config, source.context);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error(`${describeSource(source)} names no cluster: set current-context`);
  if (!URL.canParse(server)) throw new Error(`${describeSource(source)} gives no address of an API server`);
  const url = new URL(server);
  if (url.protocol !== 'https:') {
    throw new Error(`${describeSource(source)} gives ${url.origin}, and Pullguard speaks to API servers by https only`);
  }
  return { config, server: url };
}

function load(config: KubeConfig, source: KubeSource): void {
  if (source.from === 'in-cluster') return config.loadFromCluster();
  try {
    if (source.from === 'file') config.loadFromFile(source.file);
    else config.loadFromDefault();
  } catch (cause) {
    throw new Error(`${describeSource(source)} cannot be read as a kubeconfig${describeCause(cause)}`, { cause });
  }
  if (source.from === 'default' && config.getCurrentContext() === MADE_UP) {
    throw new Error('there is no kubeconfig: name one with --kubeconfig or KUBECONFIG, or write ~/.kube/config');
  }
}

/** Why, where it can be said without a word of the file: tokens stand in it. */
function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  const unread = whyUnread(cause);
  if (unread !== undefined) return `: ${unread}`;
  if (cause.name === 'YAMLException') return `: ${placeOf(cause)}it is no sound YAML`;
  return MISSING.test(cause.message) ? `: ${cause.message}` : '';
}

/** The client's own words: `clusters[0].cluster.server is missing`. */
const MISSING = /^(?:clusters|contexts|users)\[\d+\]\.[a-z.]{1,40} is missing$/u;

function placeOf(cause: Error): string {
  const mark = 'mark' in cause ? cause.mark : undefined;
  if (typeof mark !== 'object' || mark === null || !('line' in mark)) return '';
  return typeof mark.line === 'number' ? `on line ${mark.line + 1} ` : '';
}

/** Where the client finds nothing, it makes up a cluster at localhost:8080. */
const MADE_UP = 'loaded-context';

function selectContext(config: KubeConfig, context: string): void {
  if (config.getContextObject(context) === null) {
    const known = config.getContexts().map(({ name }) => name);
    throw new Error(`the kubeconfig has no context "${context}"; it has: ${known.join(', ')}`);
  }
  config.setCurrentContext(context);
}

function describeSource(source: KubeSource): string {
  if (source.from === 'file') return source.file;
  return source.from === 'in-cluster' ? "the Pod's environment" : 'the default kubeconfig';
}
