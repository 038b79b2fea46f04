import { execFile, type ExecFileException } from 'node:child_process';
import { err, ok, type Result } from '../../webhook/image/result.ts';

/** What a program that ran to its end said. */
export type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** A cluster of one node on this machine, as the environment describes it. */
export interface Cluster {
  /** The node's address, at which both the node and its Pods reach the registries of a test. */
  readonly nodeIp: string;
  /** The folder with containerd's registry settings, on the node. */
  readonly certsD: string;
  /** A static program that runs until it is told to end. */
  readonly pauseBinary: string;
  /** Runs a program with the cluster's environment, whatever it ends with. */
  run(program: string, args: readonly string[], stdin?: string): Promise<Ran>;
  /** kubectl, whatever it ends with. Objects are written to its input as JSON. */
  kubectl(args: readonly string[], objects?: readonly object[]): Promise<Ran>;
  /** kubectl's output; rejects with its errors where it fails. */
  ask(args: readonly string[], objects?: readonly object[]): Promise<string>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const NEEDED = ['KUBECONFIG', 'CLUSTER_NODE_IP', 'CLUSTER_CERTS_D', 'CLUSTER_PAUSE'] as const;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** The error is one sentence for whoever started the tests. */
export function findCluster(environment: Environment): Result<Cluster> {
  const missing = NEEDED.filter((name) => (environment[name] ?? '') === '');
  const [nodeIp, certsD, pauseBinary] = [
    environment['CLUSTER_NODE_IP'],
    environment['CLUSTER_CERTS_D'],
    environment['CLUSTER_PAUSE'],
  ];
  if (missing.length > 0 || nodeIp === undefined || certsD === undefined || pauseBinary === undefined) {
    return err(
      `the end-to-end tests want a cluster of one node on this machine, and nothing names it: set ${missing.join(', ')}`,
    );
  }
  const kubectl: Cluster['kubectl'] = (args, objects = []) => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    return runProgram('kubectl', args, objects.length === 1 ? JSON.stringify(objects[0]) : list);
  };
  return ok({
    nodeIp,
    certsD,
    pauseBinary,
    run: runProgram,
    kubectl,
    ask: async (args, objects) => succeeded(`kubectl ${args.join(' ')}`, await kubectl(args, objects)),
  });
}

/** The output of a program that must not fail. */
export function succeeded(what: string, { exitCode, stdout, stderr }: Ran): string {
  if (exitCode !== 0) throw new Error(`${what} ended with ${exitCode}: ${stderr}${stdout}`);
  return stdout;
}

function runProgram(program: string, args: readonly string[], stdin = ''): Promise<Ran> {
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const onEnd = (error: ExecFileException | null, stdout: string, stderr: string): void => {
    const exitCode = error === null ? 0 : error.code;
    if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
    else reject(new Error(`running ${program}`, { cause: error }));
  };
  const child = execFile(program, [...args], { maxBuffer: MAX_OUTPUT_BYTES, encoding: 'utf8' }, onEnd);
  // a program that ends without reading its input is judged by how it ends
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  return promise;
}
