import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Gauge, GaugeQuestion } from './gauge.ts';

/** A server in a process of its own. */
export type ServerProcess = {
  readonly port: number;
  /** The second port of those that have one. */
  readonly adminPort: number | undefined;
  readonly gauge: (question: GaugeQuestion) => Promise<Gauge>;
  readonly close: () => Promise<void>;
};

export type ServerOptions = {
  /** A TypeScript file of this project and its arguments. */
  readonly program: readonly string[];
  /** Takes its standard error: to a file, as a log goes to one on a node. */
  readonly logFile: string;
  /** More flags for Node, for profiles. */
  readonly nodeFlags: readonly string[];
};

const GAUGE = join(import.meta.dirname, 'gauge.ts');
const READY = /ready on https:\/\/127\.0\.0\.1:(?<port>\d+)\/validate(?:.* port (?<admin>\d+))?/u;

/** Starts a server and waits for the line that says where it listens. */
export async function startServer({ program, logFile, nodeFlags }: ServerOptions): Promise<ServerProcess> {
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [...nodeFlags, '--expose-gc', '--import', GAUGE, ...program], {
    stdio: ['ignore', 'pipe', log, 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  closeSync(log);
  const ended = once(child, 'exit');
  if (child.stdout === null) throw new Error('the server has no standard output');
  let ports: Readonly<Record<string, string>> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    ports = READY.exec(line)?.groups;
    if (ports !== undefined) break;
  }
  child.stdout.resume();
  if (ports === undefined) throw new Error(`${program[0]} ended before it was ready: ${readFileSync(logFile, 'utf8')}`);
  return {
    port: Number(ports['port']),
    adminPort: ports['admin'] === undefined ? undefined : Number(ports['admin']),
    gauge: async (question) => {
      child.send(question);
      const [gauge]: readonly Gauge[] = await once(child, 'message');
      if (gauge === undefined) throw new Error('the server said nothing');
      return gauge;
    },
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
